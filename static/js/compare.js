// Two accounts side by side: the box in the head of the table, and how many rows are
// chosen. The page works without it.
import { text } from './page.js';

const table = document.querySelector('[data-testid=compare]');
const all = table?.querySelector('[data-all]');
const boxes = all ? [...table.querySelectorAll('[name=only]')] : [];

function draw() {
  const count = boxes.filter((box) => box.checked).length;
  all.checked = count > 0;
  all.indeterminate = count > 0 && count < boxes.length;
  document.querySelector('[data-chosen]').textContent = text('compare_chosen', { count });
}

if (boxes.length > 0) {
  all.hidden = false;
  all.parentElement.querySelector('span').hidden = true;
  table.addEventListener('change', (e) => {
    if (e.target === all) for (const box of boxes) box.checked = all.checked;
    draw();
  });
  draw();
}
