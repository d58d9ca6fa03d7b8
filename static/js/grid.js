// The grid of one account's flags: what is staged, its marks and sums, the save
// bar, the review before a risky save, the questions of a conflict, drafts, who else
// is editing. The page works without it: the
// form itself says of each flag what it was and what it is.
import { fold, local, markDensity, say, session, text, whenOpen } from './page.js';

const RISKY_OFF = 5; // flags turned off at once
const RISKY_AGE = 30 * 60 * 1000; // of the data, in milliseconds
const REFRESHED = 'waveadmin.restore'; // the account whose page is loaded anew, and goes on as it was

const boxOf = (flag) => flag.querySelector('input[type=checkbox]');
const labelOf = (flag) => flag.querySelector('label').textContent.trim();
const flagsIn = (root) => [...root.querySelectorAll('.flag')];
const shown = (flag) => !flag.hasAttribute('data-filtered');
const currentForm = () => document.querySelector('form:has([data-grid])');

// baseline is what a flag was: as the form was made, or the default of a new account.
function baseline(flag) {
  const was = flag.querySelector('[name^="was."]');
  return (was ? was.value : flag.dataset.default) === 'on';
}
const dirty = (flag) => boxOf(flag).checked !== baseline(flag);
const differs = (flag) => flag.dataset.preset !== undefined && boxOf(flag).checked !== (flag.dataset.preset === 'on');

// draw makes every mark and sum say what the boxes say.
function draw(form) {
  const flags = flagsIn(form);
  const isOn = new Map(flags.map((flag) => [flag.dataset.flag, boxOf(flag).checked]));
  for (const flag of flags) {
    const changed = dirty(flag);
    const box = boxOf(flag);
    const mark = flag.querySelector('[data-revert]');
    flag.toggleAttribute('data-dirty', changed);
    box.toggleAttribute('data-dirty', changed);
    mark.hidden = !changed;
    const preset = flag.querySelector('[data-preset-mark]');
    if (preset) preset.hidden = !differs(flag);
    if (changed) {
      mark.textContent = text(box.checked ? 'mark_on' : 'mark_off');
      mark.setAttribute('aria-label', `${mark.textContent}. ${text('revert', { label: labelOf(flag) })}`);
    }
    const idle = flag.querySelector('[data-idle]');
    if (idle) idle.hidden = !(box.checked && isOn.get(flag.dataset.parent) === false);
  }
  for (const group of form.querySelectorAll('[data-group]')) {
    const boxes = flagsIn(group).map(boxOf);
    const count = boxes.filter((box) => box.checked).length;
    const all = group.querySelector('[data-group-box]');
    all.hidden = false;
    all.checked = count > 0;
    all.indeterminate = count > 0 && count < boxes.length;
    group.querySelector('[data-count]').textContent = `${count} / ${boxes.length}`;
  }
  drawBar(form, flags.filter(dirty));
  filter(form);
  tellEditing();
}

const wish = (flag, on) => text(on ? 'to_on' : 'to_off', { label: labelOf(flag) });
const sentence = (flag) => wish(flag, boxOf(flag).checked);
const listed = (sentences) => sentences.join(document.documentElement.lang === 'ja' ? '、' : ', ');

function drawBar(form, changed) {
  const bar = form.querySelector('.savebar');
  if (!bar) return;
  const on = changed.filter((flag) => boxOf(flag).checked).length;
  bar.toggleAttribute('data-dirty', changed.length > 0);
  bar.querySelector('[data-unsaved]').textContent = changed.length === 0
    ? text(unsavedText(form, 'unsaved_none'))
    : text(unsavedText(form, 'unsaved'), { count: changed.length, on, off: changed.length - on });
  bar.querySelector('[data-unsaved-list]').textContent = listed(changed.map(sentence));
}
// A new account has nothing saved to differ from, only the defaults.
const unsavedText = (form, key) => (form.id === 'create-form' ? `create_${key}` : key);

// edited follows each act of the person: redraw, drop what the last save said,
// keep a draft.
function edited(form) {
  for (const old of form.querySelectorAll('[data-outcome]:not(.checking)')) old.remove();
  const error = form.querySelector('.savebar [data-form-error]');
  if (error) error.textContent = '';
  draw(form);
  keepDraft(form);
}

function setFlags(flags, value) {
  for (const flag of flags) boxOf(flag).checked = value(flag);
}

// Group box: mixed → all on → all off → as it was. Under a filter it takes only
// what is shown.
function cycle(group) {
  const all = flagsIn(group);
  const flags = all.filter(shown);
  const on = flags.filter((flag) => boxOf(flag).checked).length;
  if (on === flags.length) setFlags(flags, () => false);
  else if (on === 0 && flags.some(baseline)) setFlags(flags, baseline);
  else setFlags(flags, () => true);
  if (flags.length < all.length) say(text('group_filtered', { count: flags.length }));
}

// filter hides what does not match the field and the two boxes above the grid.
function filter(form) {
  const tools = document.querySelector('[data-grid-tools]');
  if (!tools) return;
  const words = fold(tools.querySelector('[data-grid-filter]').value).split(/\s+/);
  const only = (what) => tools.querySelector(`[data-only=${what}]`)?.checked;
  let count = 0;
  for (const flag of flagsIn(form)) {
    const match = words.every((word) => flag.dataset.search.includes(word))
      && (!only('changed') || dirty(flag)) && (!only('on') || boxOf(flag).checked) && (!only('preset') || differs(flag));
    flag.toggleAttribute('data-filtered', !match);
    if (match) count++;
  }
  for (const group of form.querySelectorAll('[data-group]')) {
    group.toggleAttribute('data-filtered', !flagsIn(group).some(shown));
  }
  return count;
}

// Drafts, by person and account: what is staged, with its reason, until it is saved or
// discarded; and apart from it what an earlier page left, which is offered until it is
// restored or dropped. What takes a change back has its own, so that it does not cost
// the other edits.
function draftKey(form) {
  const id = form.dataset.userId;
  const back = form.dataset.takeback ? `.${form.dataset.takeback}` : '';
  return id && document.body.dataset.user ? `waveadmin.draft.${document.body.dataset.user}.${id}${back}` : null;
}
const offerKey = (form) => `${draftKey(form)}.kept`;
function keepDraft(form) {
  const key = draftKey(form);
  if (!key) return;
  const edits = Object.fromEntries(flagsIn(form).filter(dirty).map((flag) => [flag.dataset.flag, boxOf(flag).checked]));
  local.set(key, Object.keys(edits).length > 0 && { at: Date.now(), edits, reason: reasonOf(form).value });
}
const reasonOf = (form) => form.elements.namedItem('reason');
const dropDraft = (form) => local.set(draftKey(form), null);

// setAside adds what was staged to what is offered, where no new edit replaces it.
function setAside(form) {
  const staged = local.get(draftKey(form));
  const kept = local.get(offerKey(form));
  if (!staged) return;
  local.set(offerKey(form), { ...staged, edits: { ...kept?.edits, ...staged.edits }, reason: staged.reason || kept?.reason });
  dropDraft(form);
}
const wanted = (draft, flag) => draft.edits[flag.dataset.flag] ?? baseline(flag);
const lacking = (form, draft) => flagsIn(form).filter((flag) => wanted(draft, flag) !== boxOf(flag).checked);

function bring(form, draft, flags) {
  setFlags(flags, (flag) => wanted(draft, flag));
  reasonOf(form).value ||= draft.reason ?? '';
  edited(form);
  say(text('draft_restored'));
  boxOf(flags[0]).focus();
}

// offerDraft tells of a draft that still differs from what is on the page.
function offerDraft(form) {
  const place = document.getElementById('draft');
  if (!place || form.querySelector('[data-read-only]')) return;
  const staged = local.get(draftKey(form));
  const refreshed = session.get(REFRESHED) === form.dataset.userId;
  if (refreshed) session.set(REFRESHED, null);
  const back = refreshed && staged ? lacking(form, staged) : [];
  if (back.length > 0) bring(form, staged, back);
  else setAside(form);
  const draft = local.get(offerKey(form));
  const flags = draft ? lacking(form, draft).filter((flag) => !back.includes(flag)) : [];
  const close = () => { local.set(offerKey(form), null); place.replaceChildren(); };
  if (flags.length === 0) { close(); return; }
  const names = flags.map((flag) => flag.dataset.flag); // a save may bring the form anew
  const restore = () => {
    const now = currentForm();
    if (busy(now)) { say(text('busy')); return; }
    bring(now, draft, flagsIn(now).filter((flag) => names.includes(flag.dataset.flag)));
    close();
  };
  const line = document.createElement('div');
  line.className = 'notice-line warning';
  const words = document.createElement('p');
  words.textContent = text('draft', { count: flags.length, time: new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: 'short', timeStyle: 'short', timeZone: document.documentElement.dataset.zone }) });
  const edits = document.createElement('p');
  edits.className = 'muted small';
  edits.textContent = listed(flags.map((flag) => wish(flag, wanted(draft, flag))));
  const what = document.createElement('div');
  what.append(words, edits);
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.append(button('restore', 'btn small', restore), button('drop', 'btn quiet small', close));
  line.append(what, bar);
  if (!place.hasChildNodes()) say(words.textContent);
  place.replaceChildren(line);
  place.hidden = false;
}
function button(key, className, act) {
  const b = document.createElement('button');
  b.type = 'button';
  b.className = className;
  b.textContent = text(key);
  b.dataset.draft = key;
  b.addEventListener('click', act);
  return b;
}

// While a save is under way, or it is not known what became of it, nothing can be
// edited: the answer brings the form anew.
const busy = (form) => form?.matches('[data-busy], [data-checking]');
let focused = null; // what had the focus before the answer replaced it

document.addEventListener('click', (e) => {
  const act = e.target.closest('.flag input[type=checkbox], [data-group-box], [data-revert], [data-discard]');
  if (!act || !busy(currentForm())) return;
  e.preventDefault();
  e.stopImmediatePropagation();
  say(text('busy'));
}, true);
document.addEventListener('htmx:beforeRequest', (e) => {
  const form = e.target.closest?.('#perm-form');
  if (!form || e.target.matches('.checking')) return;
  form.toggleAttribute('data-busy', true);
  if (!document.activeElement?.closest('dialog')) focused = document.activeElement?.id || 'save';
});
document.addEventListener('htmx:afterRequest', (e) => {
  if (e.detail.elt.id !== 'presence') document.getElementById('perm-form')?.removeAttribute('data-busy');
});
document.addEventListener('htmx:afterSettle', (e) => {
  if (e.detail.elt.id !== 'presence') refocus();
});
// refocus goes back to where the person was. While something asks, it waits.
function refocus() {
  if (document.querySelector('dialog:modal')) return;
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  focused = null;
}

// What asks before a save or an undo. Its choices are those of the boxes behind it,
// so once it is closed, by whatever way out, the boxes alone say what is staged.
document.addEventListener('change', (e) => {
  if (!e.target.matches('[data-choose]')) return;
  const form = e.target.form;
  boxOf(form.querySelector(`[data-flag="${CSS.escape(e.target.dataset.choose)}"]`)).checked = e.target.hasAttribute('data-on');
  edited(form);
});
document.addEventListener('close', (e) => {
  if (!e.target.matches('.ask') || e.target.open) return; // page.js closes it once to open it as a modal one
  e.target.remove();
  refocus();
}, true);

// takeNow puts the form to what is there now. The edits become a draft that is
// offered at once: taking what others did is no reason to lose one's own.
function takeNow(form) {
  keepDraft(form);
  setFlags(flagsIn(form), baseline);
  reasonOf(form).value = '';
  draw(form);
  form.querySelector('.ask').close();
  focused = null;
  offerDraft(form);
  document.querySelector('[data-draft=restore]')?.focus();
}

// risks lists why a save should be looked at once more.
function risks(form, changed) {
  const why = [];
  if (form.dataset.confirm === 'never') return why;
  if (form.dataset.confirm === 'always') why.push(text('review_always'));
  const off = changed.filter((flag) => !boxOf(flag).checked);
  if (off.length >= RISKY_OFF) why.push(text('review_off', { count: off.length }));
  for (const group of form.querySelectorAll('[data-group]')) {
    const flags = flagsIn(group);
    if (flags.filter(baseline).length > 1 && flags.every((flag) => !boxOf(flag).checked)) {
      why.push(text('review_group', { label: group.querySelector('.name').textContent }));
    }
  }
  const age = Date.now() - Date.parse(form.dataset.asOf);
  if (age > RISKY_AGE) why.push(text('review_old', { minutes: Math.round(age / 60000) }));
  return why;
}

function review(why, changed, save) {
  const dialog = document.getElementById('review');
  const items = (lines) => lines.map((line) => Object.assign(document.createElement('li'), { textContent: line }));
  dialog.querySelector('[data-review-why]').replaceChildren(...items(why));
  dialog.querySelector('[data-review-list]').replaceChildren(...items(changed.map(sentence)));
  dialog.querySelector('[data-review-save]').onclick = () => { dialog.close(); save(); };
  dialog.showModal();
}

document.addEventListener('change', (e) => {
  const form = e.target.form;
  if (e.target.matches('.flag input[type=checkbox]')) {
    if (!met) early.set(e.target, e.target.checked);
    edited(form);
  }
  if (e.target.matches('[data-group-box]')) { cycle(e.target.closest('[data-group]')); edited(form); }
  if (e.target.matches('[data-only]')) say(text('filter_count', { count: filter(currentForm()) }));
});
document.addEventListener('input', (e) => {
  if (e.target.matches('#perm-form .savebar[data-dirty] [name=reason]')) keepDraft(e.target.form);
  if (e.target.matches('[data-grid-filter]') && !e.isComposing) say(text('filter_count', { count: filter(currentForm()) }));
});
document.addEventListener('compositionend', (e) => {
  if (e.target.matches('[data-grid-filter]')) filter(currentForm());
});

document.addEventListener('click', (e) => {
  if (e.target.matches('[data-read-only] input[type=checkbox]')) {
    e.preventDefault();
    say(text('viewer'));
    return;
  }
  const form = currentForm();
  const revert = e.target.closest('[data-revert]');
  if (revert) {
    const flag = revert.closest('.flag');
    setFlags([flag], baseline);
    edited(form);
    boxOf(flag).focus();
  }
  if (e.target.closest('[data-discard]')) {
    e.preventDefault();
    setFlags(flagsIn(form), baseline);
    edited(form);
    say(text('unsaved_none'));
  }
  if (e.target.closest('[data-discard-draft]')) dropDraft(form); // the link leaves the page
  if (e.target.closest('[data-take-now]')) takeNow(form);
});

// Enter in the filter would send the creation form that it stands in.
document.addEventListener('keydown', (e) => {
  if (e.isComposing) return;
  if (e.key === 'Enter' && e.target.matches('[data-grid-filter]')) e.preventDefault();
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 's') {
    const save = document.querySelector('[data-testid=save]');
    if (!save || document.querySelector('dialog:modal')) return;
    e.preventDefault();
    save.click();
  }
});

// Before a save: nothing staged is no request, and a risky one is shown first.
document.addEventListener('htmx:confirm', (e) => {
  const form = e.detail.elt;
  if (form.id !== 'perm-form') return;
  if (form.hasAttribute('data-checking')) {
    e.preventDefault();
    say(text('busy'));
    return;
  }
  const changed = flagsIn(form).filter(dirty);
  const pressed = e.detail.triggeringEvent?.submitter;
  if (changed.length === 0) {
    e.preventDefault();
    form.querySelector('.ask')?.close();
    form.querySelector('.savebar [data-form-error]').textContent = '';
    form.querySelector('[data-unsaved]').textContent = text('nothing_to_save');
    say(text('nothing_to_save'));
    return;
  }
  const why = pressed?.matches('[data-reviewed]') ? [] : risks(form, changed);
  if (why.length > 0) {
    e.preventDefault();
    review(why, changed, () => e.detail.issueRequest(true));
  }
});

// A refresh reloads the page: what is staged comes back by itself.
document.addEventListener('submit', (e) => {
  const form = currentForm();
  if (e.target.matches('[data-refresh]') && form?.querySelector('.flag[data-dirty]')) {
    session.set(REFRESHED, form.dataset.userId);
  }
});

let met = false; // it is known what is kept
const early = new Map(); // what became of boxes before that
let stagedFrom; // what the form before this one was staged from
document.addEventListener('htmx:load', (e) => whenOpen(() => arrived(e.detail.elt)));
function arrived(el) {
  const form = el.closest?.('form:has([data-grid])') ?? el.querySelector?.('form:has([data-grid])');
  if (!form) return;
  for (const [box] of early) box.checked = box.defaultChecked;
  for (const tools of document.querySelectorAll('[data-grid-tools]')) tools.hidden = false;
  markDensity();
  for (const take of form.querySelectorAll('[data-take-now]')) take.hidden = false;
  draw(form);
  if (form.hasAttribute('data-saved')) {
    if (stagedFrom) form.dataset.takeback ??= stagedFrom; // the end of a doubt does not name it
    dropDraft(form);
    delete form.dataset.takeback; // done: other edits may wait
    offerDraft(form);
  } else if (form.dataset.takeback || !form.querySelector('.flag[data-dirty]')) offerDraft(form);
  else { // what was staged on an earlier page makes way for what this one brings
    const before = local.get(draftKey(form));
    if (el === document.body && before && lacking(form, before).length > 0) setAside(form);
    keepDraft(form);
  }
  stagedFrom = form.dataset.takeback;
  met = true;
  if (early.size === 0) return;
  for (const [box, on] of early) box.checked = on;
  early.clear();
  edited(form);
}

// Who else is editing: the page tells that it has edits, or has no more, and is told
// who else has. A page that nobody looks at asks nothing, but its edits still count.
let edits = false; // what was told last
let forbidden = false; // signed out, or the account is gone: asking on is no use
const hasEdits = () => Boolean(document.querySelector('#perm-form .savebar[data-dirty]'));
const ping = () => htmx.trigger(document.body, 'wa:editing');

function tellEditing() {
  if (document.getElementById('presence') && hasEdits() !== edits) ping();
}
document.addEventListener('htmx:configRequest', (e) => {
  if (e.target.id !== 'presence') return;
  const now = hasEdits();
  if (forbidden || document.hidden && !now && !edits) {
    e.preventDefault();
    return;
  }
  if (now || edits) e.detail.parameters.editing = now ? 'on' : 'off';
  edits = now;
});
document.addEventListener('htmx:beforeOnLoad', (e) => {
  if (e.target.id !== 'presence') return;
  const { status } = e.detail.xhr;
  if (status === 200) return;
  e.preventDefault(); // no sign-in page, no message: the person has done nothing
  forbidden = [401, 403, 404].includes(status);
});
document.addEventListener('htmx:beforeSwap', (e) => {
  if (e.target.id !== 'presence') return;
  const answer = new DOMParser().parseFromString(e.detail.serverResponse, 'text/html').body.textContent;
  if (answer.trim() === e.target.textContent.trim()) e.detail.shouldSwap = false; // nothing to read out again
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && document.getElementById('presence')) ping();
});
addEventListener('pagehide', () => {
  const place = document.getElementById('presence');
  if (!place || !edits) return;
  const headers = JSON.parse(place.getAttribute('hx-headers'));
  fetch(place.getAttribute('hx-post'), { method: 'POST', headers, body: new URLSearchParams({ editing: 'off' }), keepalive: true });
});
