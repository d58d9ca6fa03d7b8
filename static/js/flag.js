// The page of one flag: what is staged of it, its marks, the save bar. The page works
// without it: the form then sends the rows that it shows.
import { say, text, whenOpen } from './page.js';
import { accountsOf, handOver, stagedStore } from './staged.js';

const form = document.getElementById('flag-form');
const flag = form.dataset.flag;
const store = stagedStore(`flag.${flag}`);
const readOnly = form.hasAttribute('data-read-only');
const RISKY_AGE = 30 * 60 * 1000; // of the data, in milliseconds
handOver('flag-form', 'flag', store, () => ({ reason: form.elements.reason.value }));

const rows = () => [...form.querySelectorAll('tr[data-user-id]')];
const boxOf = (row) => row.querySelector('input[type=checkbox]');
const fixed = (row) => boxOf(row).getAttribute('aria-disabled') === 'true';
const wasOn = (row) => row.dataset.was === 'on';
const wish = (entry) => text(entry.want ? 'to_on' : 'to_off', { label: entry.email });

// previewed reports whether what is staged goes to a preview: of several accounts always,
// of one when the settings ask for a look, or the list is old.
function previewed(all) {
  if (accountsOf(all) !== 1) return all.length > 0;
  const age = Date.now() - Date.parse(document.getElementById('list').dataset.asOf);
  return form.dataset.confirm === 'always' || form.dataset.confirm !== 'never' && age > RISKY_AGE;
}

function stage(row, want) {
  store.set({ user: row.dataset.userId, flag, seen: row.dataset.was, want, email: row.dataset.email, save: row.dataset.save });
}

// draw makes boxes and marks say what is staged. What a row shows to be as wanted
// already is not staged any more, and what was seen is what it shows.
function draw() {
  if (readOnly) return;
  for (const row of rows()) {
    const entry = store.get(row.dataset.userId, flag);
    if (entry) fixed(row) ? store.drop(row.dataset.userId, flag) : stage(row, entry.want);
    const staged = store.get(row.dataset.userId, flag);
    const box = boxOf(row);
    const mark = row.querySelector('[data-revert]');
    box.checked = staged ? staged.want : wasOn(row);
    row.toggleAttribute('data-dirty', Boolean(staged));
    box.toggleAttribute('data-dirty', Boolean(staged));
    mark.hidden = !staged;
    if (staged) {
      mark.textContent = text(staged.want ? 'mark_on' : 'mark_off');
      mark.setAttribute('aria-label', `${mark.textContent}. ${text('revert', { label: row.dataset.email })}`);
    }
  }
  for (const tools of form.querySelectorAll('[data-flag-tools]')) tools.hidden = false;
  drawBar();
}

function drawBar() {
  const all = store.all();
  const on = all.filter((entry) => entry.want).length;
  const shown = new Set(rows().map((row) => row.dataset.userId));
  const hidden = all.filter((entry) => !shown.has(entry.user)).length;
  form.querySelector('.savebar').toggleAttribute('data-dirty', all.length > 0);
  form.querySelector('[data-unsaved]').textContent = all.length === 0
    ? text('unsaved_none') : text('unsaved', { count: all.length, on, off: all.length - on });
  form.querySelector('[data-unsaved-list]').textContent =
    [...(hidden > 0 ? [text('staged_hidden', { count: hidden })] : []), ...all.slice(0, 20).map(wish)]
      .join(document.documentElement.lang === 'ja' ? '、' : ', ');
  const save = form.querySelector('[data-testid=save]');
  save.textContent = previewed(all) ? text('preview', { count: all.length }) : save.dataset.saveOne;
  const back = form.querySelector('[data-bring-back]');
  const handed = store.handed();
  back.hidden = handed.length === 0 || all.length > 0;
  if (!back.hidden) back.textContent = text('bring_back', { count: handed.length });
}

// edited follows each act of the person: what the last save said is over.
function edited() {
  for (const old of form.querySelectorAll('[data-outcome]')) old.remove();
  form.querySelector('[data-form-error]').textContent = '';
  draw();
}

form.addEventListener('change', (e) => {
  const row = e.target.closest('tr[data-user-id]');
  if (!row || e.target !== boxOf(row)) return;
  stage(row, e.target.checked);
  edited();
});

form.addEventListener('click', (e) => {
  if (e.target.matches('input[type=checkbox][aria-disabled=true]')) {
    e.preventDefault();
    say(text(readOnly ? 'viewer' : 'cannot_change'));
    return;
  }
  const revert = e.target.closest('[data-revert]');
  if (revert) {
    const row = revert.closest('tr');
    store.drop(row.dataset.userId, flag);
    edited();
    boxOf(row).focus();
  }
  const set = e.target.closest('[data-set]');
  if (set) {
    const free = rows().filter((row) => !fixed(row));
    const want = set.dataset.set === 'on';
    const moved = free.filter((row) => boxOf(row).checked !== want);
    for (const row of moved) stage(row, want);
    edited();
    say(text(want ? 'shown_on' : 'shown_off', { count: moved.length }));
  }
  if (e.target.closest('[data-discard]')) {
    e.preventDefault();
    store.clear();
    edited();
    say(text('unsaved_none'));
  }
  if (e.target.closest('[data-bring-back]')) {
    store.bringBack();
    edited();
    say(form.querySelector('[data-unsaved]').textContent);
    form.querySelector('[data-testid=save]').focus();
  }
});

document.addEventListener('keydown', (e) => {
  if (e.isComposing || e.keyCode === 229 || readOnly || !(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey || e.key.toLowerCase() !== 's' || document.querySelector('dialog:modal')) return;
  e.preventDefault();
  if (!e.repeat) form.querySelector('[data-testid=save]').click();
});

let sending = false; // the form of one account, whose answer is a page
addEventListener('pageshow', () => { sending = false; });

// Nothing staged is no request, one account is saved as on its own page, and what is to
// be looked at goes to a preview.
document.addEventListener('htmx:confirm', (e) => {
  if (e.detail.elt !== form) return;
  const all = store.all();
  if (previewed(all) && !sending) return;
  e.preventDefault();
  if (sending) say(text('busy'));
  else if (all.length === 0) {
    form.querySelector('[data-unsaved]').textContent = text('nothing_to_save');
    say(text('nothing_to_save'));
  } else saveOne(all[0]);
});

// saveOne sends the form of that account's page. Its answer is a page: this one with
// what was saved, which says so in its address, or that of the account with what stands
// against it. Until then it stays staged.
function saveOne({ user, seen, want, save }) {
  const fields = {
    as: form.elements.as.value, reason: form.elements.reason.value, return_to: here((query) => query.set('saved', user)),
    [`was.${flag}`]: seen, ...(want && { [`is.${flag}`]: 'on' }),
  };
  const single = Object.assign(document.createElement('form'), { method: 'post', action: save, hidden: true });
  for (const [name, value] of Object.entries(fields)) {
    single.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  document.body.append(single);
  sending = true;
  single.submit();
}

// here is the address of this view, with its parameters as edit leaves them.
function here(edit) {
  const query = new URLSearchParams(location.search);
  edit(query);
  return query.size > 0 ? `${location.pathname}?${query}` : location.pathname;
}
const saved = new URLSearchParams(location.search).get('saved');
if (saved) {
  whenOpen(() => store.drop(saved, flag));
  history.replaceState(history.state, '', here((query) => query.delete('saved')));
}
document.addEventListener('htmx:load', (e) => {
  if (e.detail.elt === document.body || e.detail.elt.id === 'list') whenOpen(draw);
});
