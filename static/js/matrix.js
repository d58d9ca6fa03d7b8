// The matrix of accounts and flags: moving in it, ranges, switching, the menu of a
// column. What is staged is kept by matrixstaged.js, cells are drawn by matrixcells.js, the bar
// below saves. One listener of a kind serves all cells.
import { say, text, typing } from './page.js';
import * as staged from './matrixstaged.js';
import { boxAt, boxOf, cellAt, drawStaged, fixed, fresh, grid, labelOf, nameOfRow, readOnly, redraw, take } from './matrixcells.js';
import { drawBar, forgetOutcome, saveForm } from './matrixbar.js';

const PAGE = 10; // rows

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
  if (stepKey(e) || inGrid(e.target) && press(e)) e.preventDefault();
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
  if (!cell) return;
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
document.addEventListener('change', (e) => {
  if (!e.target.matches('[data-testid=matrix] input')) return;
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
  if (el.id !== 'list' && el !== document.body) return;
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
});

staged.onChange(() => { drawStaged(); drawBar(); });
