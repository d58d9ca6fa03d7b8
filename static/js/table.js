// The selection of the reseller table. The boxes are plain fields of a form; here they
// get a count, ranges and a box for the page. Only rows that are shown are ever
// selected, but for "all that match", which says how many it means.

import { say, text } from './page.js';

const form = () => document.getElementById('selection');
const boxes = () => [...document.querySelectorAll('input[name=user][form=selection]')];
const all = () => form()?.querySelector('[name=all]');

let anchor; // the box that was clicked last without Shift
let before; // what was selected when the list was asked for anew

// show brings the bar in line with the boxes.
function show(note = '') {
  const bar = form();
  if (!bar) return;
  const rows = boxes();
  const picked = rows.filter((box) => box.checked).length;
  const page = document.querySelector('[data-select-page]');
  page.checked = picked > 0 && picked === rows.length;
  page.indeterminate = picked > 0 && picked < rows.length;
  page.disabled = rows.length === 0;
  const every = bar.querySelector('[data-select-all]');
  if (every) {
    if (!page.checked) all().checked = false; // a row was taken out: not all any more
    every.hidden = !page.checked;
  }
  const count = all()?.checked ? bar.dataset.total : String(picked);
  bar.classList.toggle('any', picked > 0);
  bar.querySelector('[data-select-count]').textContent = text('selected', { count });
  bar.querySelector('[data-select-note]').textContent = note;
}

function announce() {
  const picked = boxes().filter((box) => box.checked).length;
  say(text('selected', { count: all()?.checked ? form().dataset.total : String(picked) }));
}

document.addEventListener('click', (e) => {
  if (e.target.closest('[data-select-none]')) {
    for (const box of boxes()) box.checked = false;
    show();
    announce();
    document.querySelector('[data-select-page]').focus(); // the button is gone
    return;
  }
  if (!e.target.matches('input[name=user][form=selection]')) return;
  const rows = boxes();
  const [from, to] = [rows.indexOf(anchor), rows.indexOf(e.target)];
  if (e.shiftKey && from >= 0) {
    for (const box of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = e.target.checked;
  } else {
    anchor = e.target;
  }
});

document.addEventListener('change', (e) => {
  if (e.target.matches('[data-select-page]')) {
    for (const box of boxes()) box.checked = e.target.checked;
  } else if (!e.target.matches('[form=selection], [data-select-all] input')) {
    return;
  }
  show();
  announce();
});

// A page that comes back from the browser's memory may have boxes that are ticked.
addEventListener('pageshow', () => show());

document.addEventListener('htmx:beforeSwap', (e) => {
  if (e.detail.target.id !== 'list' || !e.detail.shouldSwap || !form()) return;
  before ??= {
    filter: e.detail.target.dataset.filter,
    all: Boolean(all()?.checked),
    ids: boxes().filter((box) => box.checked).map((box) => box.value),
  };
});

// After a search or a filter the selection is empty, and that is said; after sorting
// or paging the rows that are still shown stay selected.
document.addEventListener('htmx:load', (e) => {
  if (e.detail.elt.id !== 'list') return;
  const had = before;
  before = undefined;
  anchor = undefined;
  if (!had || had.ids.length === 0) {
    show();
    return;
  }
  let note = text('selection_cleared');
  if (had.filter === e.detail.elt.dataset.filter && !had.all) {
    const kept = boxes().filter((box) => had.ids.includes(box.value));
    for (const box of kept) box.checked = true;
    const left = had.ids.length - kept.length;
    note = left > 0 ? text('selection_left', { count: left }) : '';
  } else if (had.all) {
    note = text('selection_all_cleared');
  }
  show(note);
  if (note) setTimeout(() => say(`${note} ${e.detail.elt.dataset.announce}`), 100); // after what the list says of itself
});
