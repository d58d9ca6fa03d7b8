// The search over the whole tool: screens and flags, which come once, and accounts,
// which the server searches. page.js opens the dialog, whose field takes what is typed
// before this is here. The focus stays in the field; the arrows move what is chosen.
import { fold, session, text, whenOpen } from './page.js';

const PAUSE = 120; // after the last letter before accounts are searched, in milliseconds
const PATIENCE = 10000;
const STRIDE = 8; // rows of a page key
const RECENT = 5;
const BESIDE = 6; // places of a kind that are listed above accounts

const dialog = document.getElementById('palette');
const field = document.getElementById('palette-field');
const list = document.getElementById('palette-list');
const status = dialog.querySelector('[data-palette-status]');
const apple = /Mac|iP/.test(navigator.platform);

let places = null; // the groups of screens and flags, whole
let accounts = null; // the group of the last answer
let note = ''; // what is to be known of that answer
let trouble = ''; // why places or accounts are missing
let waiting = false; // accounts of what is typed are not here yet
let wanted = false; // Enter was pressed with nothing to open yet
let chosen = null;
let search = new AbortController();
let timer;

const query = () => fold(field.value).split(/\s+/).filter(Boolean);
const optionsOf = (root) => [...root.querySelectorAll('[role=option]')];

// answer returns what the server says to an address, whatever its status.
async function answer(address, signal = new AbortController().signal) {
  const response = await fetch(address, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) });
  if (response.status === 401) throw new Error(text('palette_signed_out'));
  const said = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('[data-palette-answer]');
  if (!said) throw new Error(text('palette_failed'));
  return document.importNode(said, true);
}
const why = (error, otherwise) => (error.name === 'Error' ? error.message : text(otherwise));

// opened is called at each opening, with what was typed until now in the field.
export async function opened() {
  whenOpen(changed);
  if (places) return;
  try {
    places = [...(await answer(dialog.dataset.url)).children];
    trouble = '';
  } catch (error) {
    trouble = why(error, 'palette_not_loaded');
  }
  show();
}

// changed follows each edit of the field.
function changed() {
  wanted = false;
  chosen = null;
  clearTimeout(timer);
  search.abort();
  waiting = query().length > 0;
  if (waiting) timer = setTimeout(ask, PAUSE);
  else { accounts = null; note = ''; }
  show();
}

// ask searches the accounts. An edit ends the search, so a late answer is none.
async function ask() {
  clearTimeout(timer);
  search = new AbortController();
  const { signal } = search;
  try {
    const said = await answer(`${dialog.dataset.url}?q=${encodeURIComponent(field.value.trim())}`, signal);
    if (signal.aborted) return;
    [accounts] = said.children;
    note = said.dataset.note;
    trouble = places ? '' : trouble;
  } catch (error) {
    if (signal.aborted) return;
    accounts = null;
    note = why(error, 'palette_no_connection');
  }
  waiting = false;
  show();
  if (wanted && chosen) open(chosen);
  wanted = false;
}

// matching returns a group with those of its options that have all words, the nearest
// first: what begins with them, what is called so, what else is to do with them; at most
// as many as most. It is null for none.
function matching(group, words, most = Infinity) {
  const distance = (option) => {
    const names = [...option.querySelectorAll('.label, code')].map((name) => fold(name.textContent));
    if (names.some((name) => name.startsWith(words.join(' ')))) return 0;
    return words.every((word) => names.some((name) => name.includes(word))) ? 1 : 2;
  };
  const found = optionsOf(group).filter((option) => !option.matches('[data-rest]') && words.every((word) => option.dataset.search.includes(word)));
  if (found.length === 0) return null;
  const near = new Map(found.map((option) => [option, distance(option)]));
  const rest = waiting ? null : group.querySelector('[data-rest]');
  const part = group.cloneNode(false);
  part.append(group.firstElementChild.cloneNode(true), ...found.sort((a, b) => near.get(a) - near.get(b)).slice(0, most), ...(rest ? [rest] : []));
  return part;
}

// show lists what is known to match by now. What was chosen stays so if it is still there.
function show() {
  const words = query();
  const found = accounts && matching(accounts.cloneNode(true), words);
  const groups = words.length === 0
    ? [recent(), places?.[0].cloneNode(true)]
    : [...(places ?? []).map((group) => matching(group.cloneNode(true), words, found ? BESIDE : Infinity)), found];
  const before = chosen?.href;
  list.replaceChildren(...groups.filter(Boolean));
  const options = optionsOf(list);
  options.forEach((option, i) => { option.id = `palette-${i}`; });
  list.hidden = options.length === 0;
  field.setAttribute('aria-expanded', options.length > 0);
  choose(options.find((option) => option.href === before) ?? options[0]);
  tell(options.filter((option) => !option.matches('[data-rest]')).length, words);
}

// tell says how much there is once nothing more comes, beside the keys.
function tell(count, words) {
  const parts = [trouble, waiting ? '' : note];
  if (words.length > 0 && !waiting) parts.push(count > 0 ? text('palette_count', { count }) : text('palette_none'));
  const line = parts.filter(Boolean).join(' ');
  if (line || !waiting) status.textContent = line;
}

function choose(option) {
  chosen?.setAttribute('aria-selected', 'false');
  chosen = option ?? null;
  if (!chosen) { field.removeAttribute('aria-activedescendant'); return; }
  chosen.setAttribute('aria-selected', 'true');
  field.setAttribute('aria-activedescendant', chosen.id);
  chosen.scrollIntoView({ block: 'nearest' });
  if (chosen === optionsOf(list)[0]) list.scrollTop = 0; // with its heading
}

function move(by) {
  const options = optionsOf(list);
  if (options.length === 0) return;
  wanted = false;
  const at = options.indexOf(chosen);
  if (Math.abs(by) === 1) choose(options[(at + by + options.length) % options.length]);
  else choose(options[Math.min(Math.max(at + by, 0), options.length - 1)]);
}

// open follows a link as the browser does, so the page behind may ask first.
function open(option, inTab) {
  remember(option);
  if (inTab) { window.open(option.href, '_blank', 'noopener'); return; }
  dialog.close();
  option.click();
}

// What was opened lately, by person and tab. Where nobody knows whose page it is,
// nothing is kept.
const { user } = document.body.dataset;
const recentKey = `waveadmin.recent.${user}`;
function lately() {
  return (user && session.get(recentKey)) || [];
}
function remember(option) {
  if (!user || !option.matches('[data-palette-group=accounts] a, [data-palette-group=recent] a') || option.matches('[data-rest]')) return;
  const item = { href: option.getAttribute('href'), label: option.querySelector('.label').textContent, detail: option.querySelector('.detail')?.textContent ?? '' };
  session.set(recentKey, [item, ...lately().filter((old) => old.href !== item.href)].slice(0, RECENT));
}
function recent() {
  const items = lately();
  if (items.length === 0) return null;
  const part = (name, className, content) => Object.assign(document.createElement(name), { className, textContent: content });
  const group = document.createElement('div');
  const head = part('div', 'head', text('palette_recent'));
  head.id = 'palette-recent';
  head.role = 'presentation';
  group.role = 'group';
  group.dataset.paletteGroup = 'recent';
  group.setAttribute('aria-labelledby', head.id);
  group.append(head, ...items.map((item) => {
    const link = part('a', '', '');
    link.role = 'option';
    link.tabIndex = -1;
    link.href = item.href;
    link.append(part('span', 'label', item.label), part('span', 'detail', item.detail));
    return link;
  }));
  return group;
}

field.addEventListener('input', (e) => { if (!e.isComposing) changed(); });
field.addEventListener('compositionend', changed);
field.addEventListener('keydown', (e) => {
  if (e.isComposing || e.keyCode === 229 || e.altKey) return;
  const by = { ArrowDown: 1, ArrowUp: -1, PageDown: STRIDE, PageUp: -STRIDE }[e.key];
  if (by && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
    e.preventDefault();
    move(by);
  }
  if (e.key === 'Enter' && !e.shiftKey) {
    e.preventDefault();
    if (e.repeat) return;
    if (chosen) open(chosen, apple ? e.metaKey : e.ctrlKey);
    else wanted = waiting;
  }
});

list.addEventListener('mousedown', (e) => e.preventDefault()); // the focus stays in the field
list.addEventListener('click', (e) => {
  const option = e.target.closest('[role=option]');
  if (!option || !e.isTrusted) return;
  remember(option);
  if (!e.ctrlKey && !e.metaKey && !e.shiftKey) dialog.close();
});
dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); }); // beside it
dialog.addEventListener('close', () => {
  clearTimeout(timer);
  search.abort();
  wanted = false;
});
