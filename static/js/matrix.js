// The matrix of accounts and flags: moving in it, ranges, switching, the menu of a
// column, and the bar below, which says what is staged and saves it: of one account at
// once, of several as a plan that is looked over first. One listener of a kind serves all
// cells; matrixcells.js keeps what is staged and draws them.
import { say, text, typing, whenOpen } from './page.js';
import * as staged from './matrixcells.js';
import {
  boxAt, boxOf, cellAt, drawStaged, fixed, fresh, grid, labelOf, listed, nameOfRow, readOnly, redraw, take, wish,
} from './matrixcells.js';

const PAGE = 10; // rows
const RISKY_OFF = 5; // flags turned off at once
const RISKY_AGE = 30 * 60 * 1000; // of the data, in milliseconds
const LISTED = 5; // accounts that the bar names

const inGrid = (el) => el?.closest?.('[data-testid=matrix]');
const clamp = (n, low, high) => Math.max(low, Math.min(high, n));

let tab = null; // the one element of the grid in the tab order
let at = { r: 0, c: 0 }; // where it is: r −1 is the head, c −1 the account
let anchor = at; // where a range begins
let wholeRows = false; // the range is of rows
let marked = []; // cells of the range
let menuFlag = null; // the column that the menu is of

// bind begins with the table that is on the page, anew or for the first time.
function bind() {
  take(document.querySelector('[data-testid=matrix]'));
  marked = [];
  wholeRows = false;
  if (grid.table) {
    for (const el of grid.table.querySelectorAll('a, button')) el.tabIndex = -1;
    for (const head of grid.heads) {
      head.firstElementChild.setAttribute('aria-haspopup', 'dialog');
      head.firstElementChild.setAttribute('aria-expanded', 'false');
    }
    for (const box of grid.table.querySelectorAll('input')) { // a browser may have restored others
      if (box.checked !== box.defaultChecked) box.checked = box.defaultChecked;
    }
    at = { r: clamp(at.r, -1, grid.rows.length - 1), c: clamp(at.c, -1, grid.heads.length - 1) };
    if (!elementAt(at)) at = { r: 0, c: 0 };
    anchor = at;
    tab = elementAt(at);
    tab.tabIndex = 0;
  }
  drawStaged();
  drawBar();
}

// stage makes cells, [r, c] each, be as want says, and tells how many that were.
function stage(places, want, quiet) {
  if (readOnly()) { say(text('viewer')); return; }
  const changes = [];
  let locked = 0;
  for (const [r, c] of places) {
    const box = boxAt(r, c);
    if (fixed(box)) { locked++; continue; }
    const on = want(box, r, c);
    const { userId: id, flag } = box.dataset;
    const now = fresh(box);
    const cell = on === (now === 'on') ? null : [now, on];
    const before = staged.get(id, flag);
    if (!cell && !before || cell && before?.[1] === on && before[0] === now) continue;
    changes.push({ id, flag, cell, name: nameOfRow(grid.rows[r]) });
  }
  if (changes.length > 0) {
    forgetOutcome();
    staged.edit(changes);
    for (const { id, flag } of changes) redraw(id, flag);
    drawBar();
  }
  if (quiet && changes.length > 0) return;
  const lines = [changes.length > 0 ? text('matrix_set', { count: changes.length }) : text('matrix_set_none')];
  if (locked > 0) lines.push(places.length === 1 ? text('matrix_fixed') : text('matrix_locked', { count: locked }));
  say((locked === places.length && locked > 0 ? lines.slice(1) : lines).join(' '));
}

// Where things are, and moving.

function elementAt({ r, c }) {
  if (r < 0 && c < 0) return grid.table.tHead.rows[0].cells[0].querySelector('button');
  if (r < 0) return grid.heads[c].firstElementChild;
  if (c < 0) return grid.rows[r].cells[0].querySelector('a');
  return boxAt(r, c);
}

function placeOf(el) {
  const cell = el.closest('th, td');
  const row = cell.parentElement;
  if (row.parentElement === grid.table.tHead) return { r: -1, c: row.rowIndex === 0 ? -1 : cell.cellIndex };
  return { r: row.sectionRowIndex, c: cell.cellIndex - 1 };
}

function rove(el) {
  if (tab === el) return;
  if (tab) tab.tabIndex = -1;
  tab = el;
  tab.tabIndex = 0;
}

// goTo moves to a place; extending, it draws a range from where the last one began.
function goTo(place, extend) {
  if (!grid.table) return;
  const to = { r: clamp(place.r, -1, grid.rows.length - 1), c: clamp(place.c, -1, grid.heads.length - 1) };
  const el = elementAt(to);
  if (!el) return;
  at = to;
  if (!extend || at.r < 0 || at.c < 0) {
    anchor = at;
    wholeRows = false;
  }
  rove(el);
  el.focus({ preventScroll: true });
  el.closest('th, td').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  drawRange(extend);
}

const isRange = () => wholeRows || anchor.r !== at.r || anchor.c !== at.c;

// inRange returns the places of the range, or the one place where the person is.
function inRange() {
  if (at.r < 0 || at.c < 0) return [];
  const [r1, r2] = [Math.min(anchor.r, at.r), Math.max(anchor.r, at.r)];
  const [c1, c2] = wholeRows ? [0, grid.heads.length - 1] : [Math.min(anchor.c, at.c), Math.max(anchor.c, at.c)];
  const places = [];
  for (let r = r1; r <= r2; r++) for (let c = c1; c <= c2; c++) places.push([r, c]);
  return places;
}

function drawRange(tell) {
  const now = at.r >= 0 && at.c >= 0 && isRange() ? inRange().map(([r, c]) => cellAt(r, c)) : [];
  const keep = new Set(now);
  for (const cell of marked) if (!keep.has(cell)) cell.removeAttribute('aria-selected');
  for (const cell of now) if (!cell.hasAttribute('aria-selected')) cell.setAttribute('aria-selected', 'true');
  marked = now;
  if (tell && now.length > 0) {
    const count = new Set(now.map((cell) => cell.parentElement)).size;
    say(text('matrix_range', { rows: count, columns: now.length / count }));
  }
}

// fill gives the cells below the first row of the range what that has; a single cell
// takes the one above.
function fill() {
  const places = inRange();
  const first = isRange() && places[0][0] !== places.at(-1)[0] ? places[0][0] : places[0][0] - 1;
  if (first < 0) { say(text('matrix_set_none')); return; }
  stage(places.filter(([r]) => r > first), (box, r, c) => boxAt(first, c).checked);
}

function step(way) {
  const changed = way === 'undo' ? staged.undo() : staged.redo();
  if (!changed) { say(text(way === 'undo' ? 'matrix_no_undo' : 'matrix_no_redo')); return; }
  forgetOutcome();
  for (const [id, flag] of changed) redraw(id, flag);
  drawBar();
  const away = changed.filter(([id, flag]) => !boxOf(id, flag));
  const words = [text(way === 'undo' ? 'matrix_undone' : 'matrix_redone', { count: changed.length })];
  if (away.length > 0) words.push(text('matrix_elsewhere', { count: away.length, accounts: new Set(away.map(([id]) => id)).size }));
  say(words.join(' '));
}

// keys are what the grid does with a key: plain, with Ctrl, with Shift.
const last = () => ({ r: grid.rows.length - 1, c: grid.heads.length - 1 });
const onCell = () => at.r >= 0 && at.c >= 0;
function moved(key, ctrl) {
  const { r, c } = at;
  switch (key) {
    case 'ArrowUp': return { r: r - 1, c };
    case 'ArrowDown': return { r: r + 1, c };
    case 'ArrowLeft': return { r, c: c - 1 };
    case 'ArrowRight': return { r, c: c + 1 };
    case 'Home': return ctrl ? { r: 0, c: 0 } : { r, c: 0 };
    case 'End': return ctrl ? last() : { r, c: grid.heads.length - 1 };
    case 'PageUp': return { r: Math.max(0, r - PAGE), c };
    case 'PageDown': return { r: r + PAGE, c };
  }
  return null;
}

// stepKey works on the whole page.
function stepKey(e) {
  const ctrl = e.ctrlKey || e.metaKey;
  const key = e.key.toLowerCase();
  if (!ctrl || e.altKey || key !== 'z' && (key !== 'y' || e.shiftKey)) return false;
  if (!saveForm() || typing(e.target) || document.querySelector('dialog:modal')) return false;
  step(key === 'z' && !e.shiftKey ? 'undo' : 'redo');
  return true;
}

function press(e) {
  const ctrl = e.ctrlKey || e.metaKey;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  const arrow = key.startsWith('Arrow');
  const to = e.altKey || ctrl && (arrow || key.startsWith('Page')) ? null : moved(key, ctrl);
  if (to) {
    const extend = e.shiftKey && onCell();
    if (extend) { to.r = Math.max(0, to.r); to.c = wholeRows ? at.c : Math.max(0, to.c); }
    goTo(to, extend);
    return true;
  }
  if (ctrl && !e.altKey) {
    if (key === 'd' && !e.shiftKey && onCell()) { fill(); return true; }
    return false;
  }
  if (e.altKey || !onCell()) return false;
  if (key === ' ' && e.shiftKey) {
    wholeRows = true;
    drawRange(true);
    return true;
  }
  if (key === ' ') {
    const on = !boxAt(anchor.r, anchor.c).checked;
    stage(inRange(), () => on, !isRange());
    return true;
  }
  if (e.shiftKey) return false;
  switch (key) {
    case '1': stage(inRange(), () => true); return true;
    case '0': stage(inRange(), () => false); return true;
    case 'Delete': stage(inRange(), (box) => box.defaultChecked); return true;
    case 'Enter': grid.rows[at.r].cells[0].querySelector('a')?.click(); return true;
    case 'Escape':
      if (!isRange()) return false;
      anchor = at;
      wholeRows = false;
      drawRange();
      say(text('matrix_cleared'));
      return true;
  }
  return false;
}

document.addEventListener('keydown', (e) => {
  if (e.isComposing || e.keyCode === 229 || e.defaultPrevented) return;
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 's') {
    const save = saveForm()?.querySelector('[data-testid=save]');
    if (!save || document.querySelector('dialog:modal')) return;
    e.preventDefault();
    save.click();
    return;
  }
  if (e.target.closest('#column-menu')) { menuKey(e); return; }
  if (stepKey(e) || grid.table && inGrid(e.target) && press(e)) e.preventDefault();
});
document.addEventListener('keyup', (e) => { // Space was done when it went down
  if (e.key === ' ' && e.target.matches('[data-testid=matrix] input')) e.preventDefault();
});

document.addEventListener('focusin', (e) => {
  if (!inGrid(e.target) || !grid.table) return;
  const place = placeOf(e.target);
  if (e.target === tab && place.r === at.r && place.c === at.c) return;
  at = anchor = place;
  wholeRows = false;
  rove(e.target);
  drawRange();
});

// With Shift a click draws a range, and neither moves the focus by itself nor switches.
document.addEventListener('mousedown', (e) => {
  if (e.shiftKey && e.target.closest('[data-testid=matrix] td')) e.preventDefault();
});
document.addEventListener('click', (e) => {
  const cell = e.target.closest('[data-testid=matrix] td');
  if (!cell || !grid.table) return;
  const place = placeOf(cell);
  const box = cell.firstElementChild;
  if (e.shiftKey) {
    e.preventDefault();
    if (!onCell()) anchor = at = place;
    goTo(place, true);
    return;
  }
  if (readOnly() || fixed(box)) {
    e.preventDefault();
    goTo(place);
    say(text(readOnly() ? 'viewer' : 'matrix_fixed'));
    return;
  }
  goTo(place);
  if (e.target !== box) stage([[place.r, place.c]], () => !box.checked, true);
});
let early = []; // boxes that were pressed before it was known what is kept
document.addEventListener('change', (e) => {
  if (!e.target.matches('[data-testid=matrix] input')) return;
  if (!grid.table) { early.push([e.target, e.target.checked]); return; }
  const { r, c } = placeOf(e.target);
  const on = e.target.checked;
  stage([[r, c]], () => on, true);
});

// The menu of a column.

const menu = () => document.getElementById('column-menu');

function openMenu(button) {
  const box = menu();
  menuFlag = button.parentElement.dataset.flag;
  box.querySelector('[data-column-title]').textContent = labelOf(menuFlag);
  for (const item of box.querySelectorAll('[data-value]')) item.value = item.dataset.value + menuFlag;
  const list = box.querySelector('[data-column-list]');
  list.href = list.dataset.pattern.replace('{id}', encodeURIComponent(menuFlag));
  box.showPopover();
  button.setAttribute('aria-expanded', 'true');
  const under = button.getBoundingClientRect();
  box.style.left = `${clamp(under.left, 8, Math.max(8, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${clamp(under.bottom + 4, 8, Math.max(8, innerHeight - box.offsetHeight - 8))}px`;
  box.querySelector('button, a').focus();
}

function menuKey(e) {
  const items = [...menu().querySelectorAll('button, a')];
  const n = items.indexOf(document.activeElement);
  const to = { ArrowDown: n + 1, ArrowUp: n - 1, Home: 0, End: items.length - 1 }[e.key];
  if (to === undefined) return;
  e.preventDefault();
  items.at(to % items.length).focus();
}

document.addEventListener('click', (e) => {
  const button = e.target.closest('[data-column]');
  if (button) {
    e.preventDefault(); // without scripts it sorts
    openMenu(button);
    return;
  }
  const item = e.target.closest('#column-menu :is(button, a)');
  if (!item) return;
  const act = item.dataset.columnAct;
  const c = grid.columnOf.get(menuFlag);
  if (act && c !== undefined) {
    stage(grid.rows.map((_, r) => [r, c]), { on: () => true, off: () => false, revert: (box) => box.defaultChecked }[act]);
  }
  const close = () => {
    menu().hidePopover();
    if (c !== undefined) goTo({ r: -1, c });
  };
  // htmx takes the button that has the focus for the one that was pressed.
  if (item.type === 'submit') setTimeout(close, 0);
  else close();
});
document.addEventListener('toggle', (e) => {
  if (e.target.id === 'column-menu' && e.newState === 'closed') {
    for (const button of grid.table?.querySelectorAll('[data-column][aria-expanded=true]') ?? []) button.setAttribute('aria-expanded', 'false');
  }
}, true);

// The bar: what is staged in words, and the way to save it.

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

const saveForm = () => document.getElementById('matrix-save');

function drawBar() {
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
function drawDetails() {
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
function forgetOutcome() {
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

// groupsOff names the groups of an account that are turned off as a whole. Of one that is
// not shown with all its flags nobody can say that here.
function groupsOff(id) {
  const row = grid.rowOf.get(id);
  if (!row || new URLSearchParams(location.search).has('hide')) return [];
  let next = 1; // cell of the row
  return [...grid.table.tHead.rows[0].cells].slice(1).filter((head) => {
    const boxes = [...row.cells].slice(next, next += head.colSpan).map((cell) => cell.firstElementChild);
    return boxes.filter((box) => box.defaultChecked).length > 1 && boxes.every((box) => !box.checked);
  }).map((head) => head.title);
}

function risks(list) {
  const why = [];
  const { confirm } = saveForm().dataset;
  if (confirm === 'never') return why;
  if (confirm === 'always') why.push(text('review_always'));
  const off = list.filter(([, , cell]) => !cell[1]).length;
  if (off >= RISKY_OFF) why.push(text('review_off', { count: off }));
  for (const label of groupsOff(list[0][0])) why.push(text('review_group', { label }));
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

// Another table came: the person stays where they were, at the account and the flag if
// they are still there.
let stay = null;
document.addEventListener('htmx:beforeSwap', (e) => {
  if (e.detail.target.id !== 'list' || !grid.table) return;
  stay = {
    focus: Boolean(inGrid(document.activeElement)),
    id: at.r >= 0 ? grid.rows[at.r].dataset.userId : null,
    flag: at.c >= 0 ? grid.heads[at.c].dataset.flag : null,
  };
});
document.addEventListener('htmx:load', (e) => {
  const el = e.detail.elt;
  if (el.id === 'list' || el === document.body) whenOpen(arrived);
});
function arrived() {
  if (stay) {
    const id = stay.id;
    const row = id === null ? null : document.querySelector(`[data-testid=matrix] tr[data-user-id="${CSS.escape(id)}"]`);
    const head = stay.flag && document.querySelector(`[data-testid=matrix] th[data-flag="${CSS.escape(stay.flag)}"]`);
    if (row) at.r = row.sectionRowIndex;
    if (head) at.c = head.cellIndex;
  }
  bind();
  if (stay?.focus && grid.table) goTo(at);
  stay = null;
  for (const [box, on] of early) if (box.isConnected && !fixed(box)) stage([[placeOf(box).r, placeOf(box).c]], () => on, true);
  early = [];
}

staged.onChange(() => { drawStaged(); drawBar(); });
