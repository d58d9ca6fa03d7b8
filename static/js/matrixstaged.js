// What is staged in the matrix, and the steps that led there. It lives in this browser,
// by person, until it is saved or taken back: the cells in localStorage, so that they
// outlive the tab and its tabs share them; the steps in sessionStorage, as each tab has
// its own. Nothing here knows of the page.

const CELLS = `waveadmin.matrix.${document.body.dataset.user}`;
const STEPS = `${CELLS}.steps`;
const HANDED = `${CELLS}.handed`; // by tab, too
const MAX_STEPS = 100;

function read(storage, key) {
  try {
    return JSON.parse(storage().getItem(key));
  } catch {
    return null;
  }
}
function write(storage, key, value) {
  try {
    if (value) storage().setItem(key, JSON.stringify(value));
    else storage().removeItem(key);
    return true;
  } catch {
    return false;
  }
}
const local = () => localStorage; // a browser may refuse even to name it
const session = () => sessionStorage;

// cells: account → flag → [what the person saw: on, off or unset; whether it is to be on].
// names: account → what it is called.
const valid = (kept) => (kept?.cells && kept?.names ? kept : { cells: {}, names: {} });
let { cells, names } = valid(read(local, CELLS));
let kept = true;
let { done, undone } = read(session, STEPS) ?? { done: [], undone: [] };

function keep() {
  for (const id of Object.keys(names)) if (!cells[id]) delete names[id];
  kept = write(local, CELLS, Object.keys(cells).length > 0 && { cells, names });
}

// isKept reports whether what is staged would outlive the page.
export const isKept = () => kept;

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
  take(step, 3);
}

// take makes the cells of a step what they were before it (2) or after it (3).
function take(step, which) {
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
  take(step, 2);
  return step;
}
export function redo() {
  const step = undone.pop();
  if (!step) return null;
  done.push(step);
  take(step, 3);
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
  write(session, HANDED, list.map(([id, flag, cell]) => [id, flag, cell, nameOf(id)]));
  sent(list);
}

// handed returns what was handed over last, [[account, flag, cell, name], …].
export function handed() {
  const list = read(session, HANDED);
  return Array.isArray(list) ? list : [];
}

// bringBack stages again what was handed over, [[account, flag, cell, name], …], where
// nothing newer is staged.
export function bringBack(list) {
  write(session, HANDED, null);
  edit(list.filter(([id, flag]) => !get(id, flag)).map(([id, flag, cell, name]) => ({ id, flag, cell, name })));
}

// onChange calls back when another tab staged something.
export function onChange(callback) {
  addEventListener('storage', (e) => {
    if (e.key !== CELLS) return;
    ({ cells, names } = valid(read(local, CELLS)));
    callback();
  });
  addEventListener('pageshow', (e) => {
    if (!e.persisted) return;
    ({ cells, names } = valid(read(local, CELLS)));
    callback();
  });
}

// The steps can be many, so they are written once. The fewer there is room for, the
// fewer are kept.
addEventListener('pagehide', () => {
  for (let n = MAX_STEPS; n >= 1; n = Math.floor(n / 2)) {
    if (write(session, STEPS, { done: done.slice(-n), undone: undone.slice(-n) })) return;
  }
  write(session, STEPS, null);
});
addEventListener('beforeunload', (e) => {
  if (!kept && accounts().length > 0) e.preventDefault();
});
