// What the table of the matrix is made of, and how its cells are drawn: what is staged
// lies over what the page says.
import { text } from './page.js';
import * as staged from './matrixstaged.js';

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
  for (const id of staged.accounts()) {
    for (const flag of staged.flagsOf(id)) redraw(id, flag);
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
  const mine = staged.get(userId, flag);
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
  const mine = staged.get(userId, flag);
  if (cell.hasAttribute('data-dirty')) says.push(text('matrix_dirty', { change: text(box.checked ? 'mark_on' : 'mark_off') }));
  if (cell.hasAttribute('data-moved')) says.push(text('matrix_moved', { seen: stateWord(mine[0]), now: stateWord(fresh(box)) }));
  if (cell.classList.contains('u')) says.push(text('matrix_unset'));
  if (cell.classList.contains('o')) says.push(text('matrix_odd'));
  if (cell.classList.contains('n')) says.push(text('matrix_none'));
  if (parent) {
    const parentOn = (boxOf(userId, parent)?.checked) ?? staged.get(userId, parent)?.[1]; // unknown when its column is hidden
    const idle = parentOn === undefined ? box.checked && cell.classList.contains('i') : box.checked && !parentOn;
    cell.classList.toggle('i', idle);
    if (idle) says.push(text('matrix_idle', { parent: labelOf(parent) }));
  }
  box.title = says.join(' ');
}
