// The bar below the matrix: what is staged in words, and the way to save it: of one
// account at once, of several as a plan that is looked over first.
import { say, text } from './page.js';
import * as staged from './matrixstaged.js';
import { boxOf, drawStaged, fresh, grid, listed, redraw, wish } from './matrixcells.js';

const RISKY_OFF = 5; // flags turned off at once
const RISKY_AGE = 30 * 60 * 1000; // of the data, in milliseconds
const LISTED = 5; // accounts that the bar names

// sums returns what is staged: counts, and apart from it what is so already.
function sums() {
  const s = { cells: 0, on: 0, accounts: new Map(), away: 0, awayAccounts: 0, already: [] };
  for (const id of staged.accounts()) {
    let away = 0;
    for (const flag of staged.flagsOf(id)) {
      const cell = staged.get(id, flag);
      const box = boxOf(id, flag);
      if (box && cell[1] === box.defaultChecked) {
        s.already.push([id, flag, cell]);
        continue;
      }
      if (!box) away++;
      s.cells++;
      if (cell[1]) s.on++;
      if (!s.accounts.has(id)) s.accounts.set(id, []);
      s.accounts.get(id).push([id, flag, cell]);
    }
    s.away += away;
    if (away > 0) s.awayAccounts++;
  }
  return s;
}

// What the focus goes to stays above the bar, however high that is.
const height = new ResizeObserver(([bar]) => {
  document.documentElement.style.setProperty('--bar', `${Math.ceil(bar.borderBoxSize[0].blockSize) + 24}px`);
});
document.addEventListener('DOMContentLoaded', () => { if (saveForm()) height.observe(saveForm()); });

export const saveForm = () => document.getElementById('matrix-save');

export function drawBar() {
  const bar = saveForm();
  if (!bar) return;
  bar.hidden = false;
  const s = sums();
  const put = (what, words) => { bar.querySelector(`[data-${what}]`).textContent = words; };
  bar.toggleAttribute('data-dirty', s.cells > 0);
  put('unsaved', s.cells === 0 ? text('unsaved_none')
    : text('matrix_staged', { accounts: s.accounts.size, cells: s.cells, on: s.on, off: s.cells - s.on }));
  const lines = [...s.accounts].slice(0, LISTED).map(([id, list]) => changesOf(id, list.slice(0, LISTED)));
  if (s.accounts.size > LISTED) lines.push(text('matrix_more', { count: s.accounts.size - LISTED }));
  put('unsaved-list', lines.join(document.documentElement.lang === 'ja' ? '／' : '; '));
  put('elsewhere', s.away > 0 ? text('matrix_elsewhere', { count: s.away, accounts: s.awayAccounts }) : '');
  put('already', [s.already.length > 0 ? text('matrix_already', { count: s.already.length }) : '',
    staged.isKept() ? '' : text('matrix_no_store')].join(' ').trim());
  bar.querySelector('.reason').hidden = s.accounts.size !== 1;
  bar.querySelector('[data-testid=save]').textContent = text(s.accounts.size > 1 ? 'matrix_preview' : 'matrix_save');
  const again = s.cells + s.already.length > 0 ? 0 : backs().length;
  const back = bar.querySelector('[data-bring-back]');
  back.hidden = again === 0;
  if (again > 0) back.textContent = text('bring_back', { count: again });
  const details = bar.querySelector('[data-staged-details]');
  details.hidden = s.cells + s.already.length === 0;
  if (details.open) drawDetails();
}
const changesOf = (id, list) => text('matrix_account', { account: staged.nameOf(id), changes: listed(list.map(([, flag, cell]) => wish(flag, cell[1]))) });

// inDetail says of a cell what it is to be, and why it is not seen or not sent.
function inDetail(id, flag) {
  const [, on] = staged.get(id, flag);
  const box = boxOf(id, flag);
  if (!box) return text('matrix_not_here', { change: wish(flag, on) });
  return box.defaultChecked === on ? text('matrix_is_so', { change: wish(flag, on) }) : wish(flag, on);
}

// drawDetails lists all that is staged, an account a line.
export function drawDetails() {
  const items = staged.accounts().map((id) => {
    const item = document.createElement('li');
    const words = document.createElement('span');
    words.textContent = text('matrix_account', { account: staged.nameOf(id), changes: listed(staged.flagsOf(id).map((flag) => inDetail(id, flag))) });
    const revert = document.createElement('button');
    revert.type = 'button';
    revert.className = 'link';
    revert.textContent = text('matrix_revert');
    revert.setAttribute('aria-label', text('matrix_revert_account', { account: staged.nameOf(id) }));
    revert.dataset.revertAccount = id;
    item.append(words, revert);
    return item;
  });
  saveForm().querySelector('[data-staged-list]').replaceChildren(...items);
}

// forgetOutcome drops what the last save said: it is about what was.
export function forgetOutcome() {
  const bar = saveForm();
  bar.querySelector('[data-result]').replaceChildren();
  bar.querySelector('[data-form-error]').textContent = '';
}

// Saving. What is so already is not sent; it goes from the bar with the rest.

document.addEventListener('click', (e) => {
  const bar = saveForm();
  if (!bar) return;
  const account = e.target.closest('[data-revert-account]')?.dataset.revertAccount;
  if (!account && !e.target.closest('#matrix-save [data-discard]')) return;
  const ids = account ? [account] : staged.accounts();
  const changes = ids.flatMap((id) => staged.flagsOf(id).map((flag) => ({ id, flag, cell: null })));
  if (changes.length === 0) { say(text('unsaved_none')); return; }
  const buttons = () => [...bar.querySelectorAll('[data-revert-account]')];
  const n = buttons().indexOf(e.target);
  forgetOutcome();
  staged.edit(changes);
  drawStaged();
  drawBar();
  if (account) (buttons()[n] ?? bar.querySelector('[data-testid=save]')).focus();
  say(text('matrix_discarded'));
});

function risks(list) {
  const why = [];
  const { confirm } = saveForm().dataset;
  if (confirm === 'never') return why;
  if (confirm === 'always') why.push(text('review_always'));
  const off = list.filter(([, , cell]) => !cell[1]).length;
  if (off >= RISKY_OFF) why.push(text('review_off', { count: off }));
  const age = Date.now() - Date.parse(grid.table?.dataset.asOf);
  if (age > RISKY_AGE) why.push(text('review_old', { minutes: Math.round(age / 60000) }));
  return why;
}

function review(why, list, save) {
  const dialog = document.getElementById('review');
  const items = (lines) => lines.map((line) => Object.assign(document.createElement('li'), { textContent: line }));
  dialog.querySelector('[data-review-why]').replaceChildren(...items(why));
  dialog.querySelector('[data-review-list]').replaceChildren(...items(list.map(([id, flag, cell]) => text('matrix_account', { account: staged.nameOf(id), changes: wish(flag, cell[1]) }))));
  dialog.querySelector('[data-review-save]').onclick = () => { dialog.close(); save(); };
  dialog.showModal();
}

let sending = null; // what the request under way carries
let sent = null; // and how, for one account

document.addEventListener('htmx:confirm', (e) => {
  const form = e.detail.elt;
  if (form.id !== 'matrix-save') return;
  const s = sums();
  const refuse = (words) => {
    e.preventDefault();
    form.querySelector('[data-form-error]').textContent = words;
    say(words);
  };
  if (s.cells === 0) {
    if (s.already.length > 0) { staged.sent(s.already); drawStaged(); drawBar(); }
    e.preventDefault();
    form.querySelector('[data-result]').textContent = text('nothing_to_save');
    say(text('nothing_to_save'));
    return;
  }
  forgetOutcome();
  sending = { id: s.accounts.size === 1 ? [...s.accounts.keys()][0] : null, list: [...s.accounts.values()].flat(), already: s.already };
  if (!sending.id) return;
  const reason = form.elements.namedItem('reason');
  if (form.hasAttribute('data-need-reason') && reason.value.trim() === '') {
    refuse(text('matrix_reason'));
    reason.focus();
    return;
  }
  const why = risks(sending.list);
  if (why.length > 0) {
    e.preventDefault();
    review(why, sending.list, () => e.detail.issueRequest(true));
  }
});

// seenOf returns what the person sees of an account's other flags: what is tied to those
// that they touched may have been changed by someone else.
function seenOf(id) {
  const boxes = grid.rowOf.get(id)?.querySelectorAll('input:not([aria-disabled])') ?? [];
  return [...boxes].map((box) => [box.dataset.flag, fresh(box)]);
}

document.addEventListener('htmx:configRequest', (e) => {
  if (e.target.id !== 'matrix-save' || !sending) return;
  const p = e.detail.parameters;
  if (sending.id) {
    e.detail.path = e.target.dataset.metaUrl.replace('{id}', encodeURIComponent(sending.id));
    const cells = new Map(sending.list.map(([, flag, cell]) => [flag, cell]));
    for (const [flag, seen] of seenOf(sending.id)) if (!cells.has(flag)) cells.set(flag, [seen, seen === 'on']);
    for (const [flag, [seen, on]] of cells) {
      p[`was.${flag}`] = seen;
      if (on) p[`is.${flag}`] = 'on';
    }
    sent = { path: e.detail.path, parameters: { ...p } };
    return;
  }
  delete p.reason; // a bulk change asks for its own
  const items = Map.groupBy(sending.list, ([id]) => id);
  p.plan = JSON.stringify({ source: 'matrix', items: [...items].map(([user, list]) => ({
    user,
    seen: Object.fromEntries(list.map(([, flag, cell]) => [flag, cell[0]])),
    want: Object.fromEntries(list.map(([, flag, cell]) => [flag, cell[1] ? 'on' : 'off'])),
  })) });
});

document.addEventListener('htmx:beforeOnLoad', (e) => {
  if (e.target.id !== 'matrix-save' || !sending) return;
  const { xhr } = e.detail;
  if (sending.id) { answered(e, xhr); return; }
  // A plan is kept by the server: what it holds is done with here.
  if (xhr.status >= 200 && xhr.status < 300 && xhr.getResponseHeader('HX-Redirect')) {
    staged.handedOver(sending.list);
    staged.sent(sending.already);
    drawStaged();
    drawBar();
  }
});

// backs is what went to the last preview and is not so by now, as far as this view shows.
const backs = () => staged.handed().filter(([id, flag, cell]) => boxOf(id, flag)?.defaultChecked !== cell[1]);

document.addEventListener('click', (e) => {
  if (!e.target.closest('#matrix-save [data-bring-back]')) return;
  forgetOutcome();
  staged.bringBack(backs());
  drawStaged();
  drawBar();
  say(saveForm().querySelector('[data-unsaved]').textContent);
  saveForm().querySelector('[data-testid=save]').focus();
});

// answered takes the answer to a save of one account. What is no plain success and no
// mere refusal is shown by the account's own page, which has the means to ask and to
// look again. What is staged stays here until it is known to be so.
function answered(e, xhr) {
  if (xhr.status === 200) {
    e.preventDefault();
    saved(sending);
  } else if (xhr.status === 202) { // sent, and not known to have arrived: never send it twice
    e.preventDefault();
    location.assign(accountURL(sending.id));
  } else if (xhr.getResponseHeader('HX-Form') || [409, 422].includes(xhr.status) && !xhr.getResponseHeader('HX-Trigger')) {
    // A form with what stands against it: nothing was sent to Wave. The same as a page.
    e.preventDefault();
    postAsPage(sent);
  } // else page.js says why
}

function postAsPage({ path, parameters }) {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = path;
  for (const [name, value] of Object.entries(parameters)) {
    form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  form.hidden = true;
  document.body.append(form);
  form.submit();
}

function saved({ id, list, already }) {
  const name = staged.nameOf(id);
  staged.sent([...list, ...already]);
  for (const [, flag, cell] of list) {
    const box = boxOf(id, flag);
    if (!box) continue;
    box.defaultChecked = cell[1];
    box.parentElement.classList.remove('u', 'o');
    redraw(id, flag);
  }
  saveForm().elements.namedItem('reason').value = '';
  drawStaged();
  drawBar();
  const link = Object.assign(document.createElement('a'), { href: accountURL(id), textContent: name });
  const [before, after] = text('matrix_saved', { count: list.length, account: '\u0000' }).split('\u0000');
  const words = document.createElement('span');
  words.append(before, link, after);
  saveForm().querySelector('[data-result]').replaceChildren(words);
  htmx.trigger(document.getElementById('list-form'), 'wa:search'); // what others changed meanwhile
}

const accountURL = (id) => saveForm().dataset.metaUrl.replace('{id}', encodeURIComponent(id)).replace(/\/meta$/, '');

document.addEventListener('htmx:afterRequest', (e) => {
  if (e.detail.elt.id === 'matrix-save') sending = null;
});
document.addEventListener('toggle', (e) => {
  if (e.target.matches('[data-staged-details]') && e.target.open) drawDetails();
}, true);
