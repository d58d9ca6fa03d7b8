// The page of a run. The server tells by itself how it goes; the page asks every two
// seconds while it hears nothing of that. The focus stays where it is.
import { say } from './page.js';

const silence = 40000; // ms without a word, two beats among them, after which the page asks
const apart = 10000; // ms between announcements

const on = (event, handle, first) => document.addEventListener(event, handle, first);
const part = (id) => document.getElementById(id);

let heard = 0;
const hear = () => { heard = Date.now(); };
on('htmx:sseOpen', (e) => e.detail.source.addEventListener('beat', hear));
on('htmx:sseError', () => { heard = 0; });
on('htmx:beforeRequest', (e) => {
  if (e.target.id === 'bulk-progress' && Date.now() - heard < silence) e.preventDefault();
});

// What is pressed stays until it is let go, or the press would be of nothing.
let pressed = 0; // a timer: not every press is seen to end
let held = [];
function letGo() {
  clearTimeout(pressed);
  pressed = 0;
  const all = held;
  held = [];
  for (const data of all) htmx.swap('#bulk-progress', data, { swapStyle: 'outerHTML' });
}
function press() {
  clearTimeout(pressed);
  pressed = setTimeout(letGo, 2000);
}
on('pointerdown', press);
on('keydown', (e) => { if (e.key === ' ') press(); });
for (const event of ['pointerup', 'pointercancel', 'keyup']) {
  on(event, () => { if (pressed) setTimeout(letGo); }); // after the click
}
on('htmx:sseBeforeMessage', (e) => {
  hear();
  htmx.trigger(part('bulk-progress'), 'htmx:abort'); // an answer under way would be older
  if (pressed) {
    e.preventDefault();
    held.push(e.detail.data);
  }
});
on('htmx:beforeSwap', (e) => { if (pressed && e.target.id === 'bulk-progress') e.detail.shouldSwap = false; });

// The table stays where it was scrolled to, and keeps the focus when what had it is gone.
let place = null;
on('htmx:oobBeforeSwap', () => {
  const box = part('bulk-run-scroll');
  place = { left: box.scrollLeft, top: box.scrollTop, within: box.contains(document.activeElement) };
});
on('htmx:load', (e) => {
  if (e.detail.elt.id !== 'bulk-run-rows' || !place) return;
  const box = part('bulk-run-scroll');
  if (place.within && document.activeElement === document.body) box.focus({ preventScroll: true });
  box.scrollTo(place.left, place.top);
  place = null;
});

// Each quarter is announced; the end page.js announces, or the page itself as an alert.
let told = Number(part('bulk-progress').dataset.quarter);
let toldAt = Date.now();
let { state } = part('bulk-progress').dataset;
on('htmx:load', ({ detail: { elt } }) => {
  if (elt.id !== 'bulk-progress') return;
  part('bulk-lost').hidden = true;
  if (elt.dataset.state !== state) { // it may stop by itself
    state = elt.dataset.state;
    const why = elt.querySelector('.warning');
    if (why && elt.matches('[hx-get]')) say(why.textContent.trim()); // else the end is said
  }
  const quarter = Number(elt.dataset.quarter);
  if (quarter <= told || quarter > 3 || Date.now() - toldAt < apart) return;
  told = quarter;
  toldAt = Date.now();
  say(part('bulk-how').textContent);
});

// That an answer did not come is said once and not every two seconds.
for (const event of ['toast', 'htmx:sendError', 'htmx:timeout', 'htmx:responseError']) {
  on(event, (e) => {
    if (e.target.id !== 'bulk-progress') return;
    e.stopImmediatePropagation();
    const lost = part('bulk-lost');
    if (lost.hidden) say(lost.textContent);
    lost.hidden = false;
  }, true);
}
