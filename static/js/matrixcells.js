// What is staged in the matrix, the steps that led there, and how its cells are drawn:
// what is staged lies over what the page says.
import { local, session, text, whenOpen } from './page.js';

// What is staged lives in this browser, by person, until it is saved or taken back: the
// cells outlive the tab, and its tabs share them; the steps are of each tab.

const CELLS = `waveadmin.matrix.${document.body.dataset.user}`;
const STEPS = `${CELLS}.steps`;
const HANDED = `${CELLS}.handed`; // by tab, too
const MAX_STEPS = 100;
const MAX_KEPT = 10000; // cells of steps that outlive the page

// cells: account → flag → [what the person saw: on, off or unset; whether it is to be on].
// names: account → what it is called.
// Accounts are called as Wave likes, __proto__ and constructor too: such a name must not
// lead to what all objects share.
const bare = (kept) => Object.assign(Object.create(null), kept);
const valid = (kept) => ({ cells: bare(kept?.names && kept.cells), names: bare(kept?.cells && kept.names) });
let { cells, names } = valid(null);
let [done, undone] = [[], []];
const look = () => { ({ cells, names } = valid(local.get(CELLS))); };
whenOpen(() => {
  look();
  ({ done, undone } = session.get(STEPS) ?? { done, undone });
});

function keep() {
  for (const id of Object.keys(names)) if (!cells[id]) delete names[id];
  local.set(CELLS, Object.keys(cells).length > 0 && { cells, names });
  session.set(STEPS, done.length + undone.length > 0 && { done: newest(done), undone: newest(undone) });
}

// newest returns the last of steps that have not too many cells together.
function newest(steps) {
  let [n, room] = [steps.length, MAX_KEPT];
  while (n > 0 && (room -= steps[n - 1].length) >= 0) n--;
  return steps.slice(n);
}

// isKept reports whether what is staged would outlive the page.
export const isKept = () => local.holds();

export const get = (id, flag) => cells[id]?.[flag];
export const nameOf = (id) => names[id] ?? id;
export const accounts = () => Object.keys(cells);
export const flagsOf = (id) => Object.keys(cells[id] ?? {});

function put(id, flag, cell) {
  if (cell) {
    cells[id] ??= {};
    cells[id][flag] = cell;
    return;
  }
  if (!cells[id]) return;
  delete cells[id][flag];
  if (Object.keys(cells[id]).length === 0) delete cells[id];
}

// edit stages cells, as one step: {id, name, flag, cell}, with no cell for one that is
// taken back.
export function edit(changes) {
  const step = changes.map(({ id, name, flag, cell }) => [id, flag, get(id, flag) ?? null, cell ?? null, name ?? nameOf(id)]);
  done.push(step);
  if (done.length > MAX_STEPS) done.shift();
  undone = [];
  apply(step, 3);
}

// apply makes the cells of a step what they were before it (2) or after it (3).
function apply(step, which) {
  for (const change of step) {
    put(change[0], change[1], change[which]);
    if (cells[change[0]]) names[change[0]] = change[4];
  }
  keep();
}

// undo and redo go one step and return it, [[account, flag], …], or nothing when there
// is none.
export function undo() {
  const step = done.pop();
  if (!step) return null;
  undone.push(step);
  apply(step, 2);
  return step;
}
export function redo() {
  const step = undone.pop();
  if (!step) return null;
  done.push(step);
  apply(step, 3);
  return step;
}

// sent forgets cells that were saved or handed over, [[account, flag, cell], …], those
// that were edited since left out. The steps that led to them go, too: none of them can
// be taken back here any more.
export function sent(list) {
  for (const [id, flag, [seen, on]] of list) {
    const now = get(id, flag);
    if (now && now[0] === seen && now[1] === on) put(id, flag, null);
  }
  [done, undone] = [[], []];
  keep();
}

// handedOver forgets cells as sent does, after a preview has been made of them. The way
// back stays open in this tab until the next time.
export function handedOver(list) {
  session.set(HANDED, list.map(([id, flag, cell]) => [id, flag, cell, nameOf(id)]));
  sent(list);
}

// handed returns what was handed over last, [[account, flag, cell, name], …].
export function handed() {
  return session.get(HANDED) ?? [];
}

// bringBack stages again what was handed over, [[account, flag, cell, name], …], where
// nothing newer is staged.
export function bringBack(list) {
  session.set(HANDED, null);
  edit(list.filter(([id, flag]) => !get(id, flag)).map(([id, flag, cell, name]) => ({ id, flag, cell, name })));
}

// onChange calls back when another tab staged something, or it turned out whether what is
// staged outlives the page.
export function onChange(callback) {
  local.onChange((name) => {
    if (name !== CELLS) return;
    look();
    callback();
  });
}

addEventListener('beforeunload', (e) => {
  if (!isKept() && accounts().length > 0) e.preventDefault();
});

// The table, and its cells.

// grid is the table on the page: its rows, the columns' heads with data-flag, and where
// to find an account's row and a flag's column.
export const grid = { table: null, rows: [], heads: [], rowOf: new Map(), columnOf: new Map(), childrenOf: new Map() };

// take takes hold of the table after it came, anew or for the first time.
export function take(table) {
  grid.table = table;
  grid.rows = table ? [...table.tBodies[0].rows] : [];
  grid.heads = table ? [...table.tHead.rows[1].cells] : [];
  grid.rowOf = new Map(grid.rows.filter((row) => row.dataset.userId).map((row) => [row.dataset.userId, row]));
  grid.columnOf = new Map(grid.heads.map((head, c) => [head.dataset.flag, c]));
  grid.childrenOf = Map.groupBy(grid.heads.keys(), (c) => grid.heads[c].dataset.parent); // of a parent's flag
}

export const cellAt = (r, c) => grid.rows[r].cells[c + 1];
export const boxAt = (r, c) => cellAt(r, c).firstElementChild;
export const fixed = (box) => box.getAttribute('aria-disabled') === 'true';
export const readOnly = () => grid.table?.hasAttribute('data-read-only');
// boxOf returns the box of a flag of an account, or nothing when it is not on this view.
export function boxOf(id, flag) {
  const row = grid.rowOf.get(id);
  const c = grid.columnOf.get(flag);
  return row && c !== undefined ? row.cells[c + 1].firstElementChild : null;
}
export const nameOfRow = (row) => row.cells[0].querySelector('a')?.textContent ?? row.dataset.userId;

// fresh is what the list said last: the page is never changed but by a save.
export function fresh(box) {
  if (box.defaultChecked) return 'on';
  return box.parentElement.classList.contains('u') ? 'unset' : 'off';
}
const stateWord = (state) => text({ on: 'matrix_on', off: 'matrix_off', unset: 'matrix_not_set' }[state]);

export function labelOf(flag) {
  const label = document.querySelector(`[data-testid=columns] [value="${CSS.escape(flag)}"] + span`);
  return label ? label.textContent : flag;
}
export const wish = (flag, on) => text(on ? 'to_on' : 'to_off', { label: labelOf(flag) });
export const listed = (parts) => parts.join(document.documentElement.lang === 'ja' ? '、' : ', ');

// drawStaged lays what is staged over the table.
export function drawStaged() {
  const was = grid.table ? [...grid.table.querySelectorAll('td[data-dirty], td[data-moved]')] : [];
  for (const cell of was) drawCell(cell.parentElement, cell.cellIndex - 1);
  if (readOnly()) return; // of a time when the person was more
  for (const id of accounts()) {
    for (const flag of flagsOf(id)) redraw(id, flag);
  }
}

// redraw draws the cell of a flag of an account, if it is on this view.
export function redraw(id, flag) {
  const row = grid.rowOf.get(id);
  const c = grid.columnOf.get(flag);
  if (row && c !== undefined) drawCell(row, c);
}

// drawCell makes a cell, and those that depend on it, what is staged or was so.
export function drawCell(row, c) {
  const cell = row.cells[c + 1];
  const box = cell.firstElementChild;
  const { userId, flag } = box.dataset;
  const now = fresh(box);
  const mine = get(userId, flag);
  const on = mine ? mine[1] : now === 'on';
  if (box.checked !== on) box.checked = on;
  const dirty = on !== (now === 'on');
  cell.toggleAttribute('data-dirty', dirty);
  box.toggleAttribute('data-dirty', dirty);
  cell.toggleAttribute('data-moved', Boolean(mine && mine[0] !== now));
  drawTitle(row, c);
  for (const child of grid.childrenOf.get(flag) ?? []) drawTitle(row, child);
}

// drawTitle says in words what is special about a cell, and marks one without effect.
function drawTitle(row, c) {
  const cell = row.cells[c + 1];
  const box = cell.firstElementChild;
  const { userId, flag } = box.dataset;
  const { parent } = grid.heads[c].dataset;
  const says = [];
  const mine = get(userId, flag);
  if (cell.hasAttribute('data-dirty')) says.push(text('matrix_dirty', { change: text(box.checked ? 'mark_on' : 'mark_off') }));
  if (cell.hasAttribute('data-moved')) says.push(text('matrix_moved', { seen: stateWord(mine[0]), now: stateWord(fresh(box)) }));
  if (cell.classList.contains('u')) says.push(text('matrix_unset'));
  if (cell.classList.contains('o')) says.push(text('matrix_odd'));
  if (cell.classList.contains('n')) says.push(text('matrix_none'));
  if (parent) {
    const parentOn = (boxOf(userId, parent)?.checked) ?? get(userId, parent)?.[1]; // unknown when its column is hidden
    const idle = parentOn === undefined ? box.checked && cell.classList.contains('i') : box.checked && !parentOn;
    cell.classList.toggle('i', idle);
    if (idle) says.push(text('matrix_idle', { parent: labelOf(parent) }));
  }
  box.title = says.join(' ');
}
