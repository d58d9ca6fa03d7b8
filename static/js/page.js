// What every page shares: texts, announcements, toasts, failures of requests,
// search fields, small controls, and what the browser keeps. Nothing here knows of
// accounts or flags.

// htmx writes answers of our own server through innerHTML. Scripts and script
// addresses get no policy, so the browser refuses them.
window.trustedTypes?.createPolicy('default', { createHTML: (html) => html });

document.documentElement.classList.add('js');

const texts = {};
for (const some of document.querySelectorAll('#texts, #more-texts')) Object.assign(texts, JSON.parse(some.textContent));

// text fills the places of a sentence: {name}, or {name|one|many} by number.
export function text(key, args = {}) {
  return texts[key].replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) =>
    one === undefined ? args[name] : Number(args[name]) === 1 ? one : many);
}

// What the browser keeps of a person: what is staged and not saved, what was opened
// lately. It outlives the session for them and tells nobody else anything: values and
// names are encrypted with a key that only pages of this person bring, and which no
// script can read back. Without that key, without WebCrypto (over plain http) or room it
// lasts as long as the page.

let { key: given } = document.body.dataset;
delete document.body.dataset.key;
const { user } = document.body.dataset;
const subtle = given && crypto.subtle;
let open = !subtle; // what is kept is known
let seal = null; // the key of the values
let placeOf = null; // the place of a name in a storage

const bytesOf = (words) => new TextEncoder().encode(words);
function toText(bytes) {
  let chars = '';
  for (let i = 0; i < bytes.length; i += 8192) chars += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(chars);
}
function toBytes(chars) {
  const raw = atob(chars);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// A Keeper is one storage of the browser. It answers from memory at once and writes a
// little later, the latest value of a name. A value is anything that JSON can say; whoever
// changes one sets it again. Nothing can be set before whenOpen says so.
class Keeper {
  #storage; // a browser may refuse even to name it
  #values = new Map();
  #places = new Map();
  #dirty = new Set();
  #busy = new Set();
  #listeners = [];
  #queue = Promise.resolve(); // what other tabs wrote, in its order
  #holds = true;

  constructor(storage) { this.#storage = storage; }

  get(name) { return this.#values.get(name) ?? null; }
  names() { return [...this.#values.keys()]; }

  // holds reports whether what is set would outlive the page, as far as that is known.
  holds() { return !open || Boolean(seal && this.#holds); }

  // set keeps a value; null, or nothing, removes it.
  set(name, value) {
    if (!open) return;
    if (value) this.#values.set(name, value);
    else if (!this.#values.delete(name)) return;
    this.#dirty.add(name);
    soon();
  }

  // onChange calls back with the name when another tab has set it, or it turned out
  // whether the browser takes it.
  onChange(listener) { this.#listeners.push(listener); }
  #tell(name) { if (open) for (const listener of this.#listeners) listener(name); }

  // read returns what stands at a place, [name, value], or removes what does not open.
  async #read(place, sealed) {
    try {
      const bytes = toBytes(sealed);
      const clear = await subtle.decrypt({ name: 'AES-GCM', iv: bytes.subarray(0, 12), additionalData: bytesOf(place) }, seal, bytes.subarray(12));
      const [name, value] = JSON.parse(new TextDecoder().decode(clear));
      return [name, value];
    } catch {
      this.#storage().removeItem(place);
      return [];
    }
  }

  async #take(place, sealed) {
    const [name, value] = await this.#read(place, sealed);
    if (name === undefined || !seal || this.#dirty.has(name) || this.#busy.has(name)) return;
    this.#values.set(name, value);
    this.#places.set(name, place);
    this.#tell(name);
  }

  // load reads all that is kept of this person under mine, and takes over what an
  // earlier version has kept in clear.
  async load(mine) {
    const before = this.#holds ? this.names().filter((name) => !this.#dirty.has(name)) : [];
    for (const name of before) this.#values.delete(name);
    try {
      const all = Object.entries(this.#storage());
      await Promise.all(all.filter(([place]) => place.startsWith(mine)).map((entry) => this.#take(...entry)));
      for (const [name, value] of all) if (name.startsWith('waveadmin.') && name.includes(`.${user}`)) this.#takeOver(name, value);
    } catch {
      this.#holds = false;
    }
    for (const name of before) if (!this.#values.has(name)) this.#tell(name);
  }
  #takeOver(name, clear) {
    try {
      this.#values.set(name, JSON.parse(clear));
    } catch { /* as if it was not there */ }
    this.#dirty.add(name);
  }

  // heard takes what another tab wrote.
  heard(place, sealed) {
    this.#queue = this.#queue.then(async () => {
      if (sealed !== null) { await this.#take(place, sealed); return; }
      const name = this.names().find((known) => this.#places.get(known) === place);
      if (name === undefined || this.#dirty.has(name) || this.#busy.has(name)) return;
      this.#values.delete(name);
      this.#tell(name);
    });
  }

  flush() { for (const name of this.#dirty) this.#write(name); }

  async #write(name) {
    if (this.#busy.has(name)) return; // and looks again
    this.#busy.add(name);
    while (seal && this.#dirty.delete(name)) {
      const held = this.#holds;
      try {
        if (!this.#places.has(name)) this.#places.set(name, await placeOf(name));
        const place = this.#places.get(name);
        const value = this.#values.get(name);
        const sealed = value ? await this.#sealed(place, [name, value]) : null;
        if (this.#dirty.has(name) || !seal) continue;
        this.#storage().removeItem(name); // of an earlier version
        if (sealed) this.#storage().setItem(place, sealed);
        else this.#storage().removeItem(place);
        this.#holds = true;
      } catch {
        this.#holds = false; // full, or forbidden
      }
      if (held !== this.#holds) this.#tell(name);
    }
    this.#busy.delete(name);
  }

  async #sealed(place, entry) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytesOf(place) }, seal, bytesOf(JSON.stringify(entry)));
    const all = new Uint8Array(12 + text.byteLength);
    all.set(iv);
    all.set(new Uint8Array(text), 12);
    return toText(all);
  }

  forget() {
    this.#values.clear();
    this.#dirty.clear();
  }
}

// local outlives the tab, and its tabs share it; session is of this tab.
export const local = new Keeper(() => localStorage);
export const session = new Keeper(() => sessionStorage);
const keepers = [local, session];

// Writing waits for the next paint, and not for a page that goes.
let due = false;
function soon() {
  if (due || !seal) return;
  due = true;
  if (document.hidden) setTimeout(flush);
  else requestAnimationFrame(() => setTimeout(flush));
}
function flush() {
  due = false;
  for (const keeper of keepers) keeper.flush();
}
addEventListener('beforeunload', (e) => {
  flush();
  if (over) e.stopImmediatePropagation(); // nobody is there to be asked
});
addEventListener('pagehide', flush);
document.addEventListener('visibilitychange', flush);

// htmx keeps the address of the page, which may name an account, for a history that it
// does not keep here.
for (const event of ['htmx:load', 'htmx:pushedIntoHistory', 'htmx:replacedInHistory', 'htmx:historyRestore']) {
  document.addEventListener(event, () => {
    try {
      sessionStorage.removeItem('htmx-current-path-for-history');
    } catch { /* then it keeps nothing */ }
  });
}

// forget drops what this page knows of what is kept, and writes no more of it.
export function forget() {
  open = false;
  seal = null;
  for (const keeper of keepers) keeper.forget();
}

async function unlock() {
  const base = await subtle.importKey('raw', toBytes(given), 'HKDF', false, ['deriveKey']);
  given = null;
  const derive = (info, as, ...uses) => subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: bytesOf(info) }, base, as, false, uses);
  const [values, names] = await Promise.all([
    derive('values', { name: 'AES-GCM', length: 256 }, 'encrypt', 'decrypt'),
    derive('names', { name: 'HMAC', hash: 'SHA-256' }, 'sign'),
  ]);
  const tag = async (words) => toText(new Uint8Array(await subtle.sign('HMAC', names, bytesOf(words))));
  const mine = `waveadmin.${(await tag('')).slice(0, 12)}.`; // leaves alone what is of others
  seal = values;
  placeOf = async (name) => mine + await tag(name);
  const load = () => Promise.all(keepers.map((keeper) => keeper.load(mine)));
  await load();
  open = true;
  flush();
  addEventListener('storage', (e) => { if (e.key?.startsWith(mine)) local.heard(e.key, e.newValue); });
  addEventListener('pageshow', (e) => { if (e.persisted) load(); });
}
const unlocked = subtle && unlock().catch(() => { open = true; });

// whenOpen acts once it is known what is kept, now or a moment after the page is there.
export function whenOpen(act) {
  if (open) act();
  else unlocked.then(act);
}

function put(id, message) {
  const region = document.getElementById(id);
  region.textContent = '';
  setTimeout(() => { region.textContent = message; }, 50); // the same words twice are read twice
}

// say is read when the reader pauses, sayNow at once.
export const say = (message) => put('sr-status', message);
export const sayNow = (message) => put('sr-alert', message);

// toast shows a message in the corner. Errors stay until they are closed.
export function toast(level, message) {
  const box = document.createElement('div');
  box.className = `toast ${level}`;
  const words = document.createElement('p');
  words.textContent = message;
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'link';
  close.textContent = text('dismiss');
  close.addEventListener('click', () => box.remove());
  box.append(words, close);
  document.getElementById('toasts').append(box);
  if (level === 'error') sayNow(message);
  else { say(message); setTimeout(() => box.remove(), 12000); }
}

// fold makes texts comparable as the server's search does.
export function fold(s) {
  return s.normalize('NFKC').toLowerCase().replace(/[\u30a1-\u30f6]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0x60)).trim();
}

// fail puts a message beside the button whose press failed; without such a place, and
// for what only reads, it becomes a toast.
function fail(element, message, reads) {
  if (element?.matches?.('.checking, #presence')) return; // the page asks again by itself
  const place = reads ? null : element?.closest?.('form')?.querySelector('[data-form-error]');
  if (!place) { toast('error', message); return; }
  place.textContent = message;
  sayNow(message);
}

const on = (event, handle) => document.addEventListener(event, handle);

let read = false; // the answer that is being taken is to a request that only reads
on('htmx:beforeOnLoad', (e) => { read = e.detail.requestConfig.verb === 'get'; });
on('toast', (e) => {
  const form = e.target.closest?.('form[hx-post]');
  if (e.detail.level === 'error' && form) fail(form, e.detail.message, read);
  else toast(e.detail.level, e.detail.message);
});
// An answer that is an error and yet the form, with what is wrong, says so.
on('htmx:beforeSwap', (e) => {
  if (e.detail.xhr.status >= 400 && e.detail.xhr.getResponseHeader('HX-Form')) {
    e.detail.shouldSwap = true;
    e.detail.isError = false;
  }
});
// failed tells of a request: with words for what was to be saved, or for what was to be
// shown.
function failed({ elt, requestConfig }, saving, showing) {
  const reads = requestConfig.verb === 'get';
  fail(elt, text(reads ? showing : saving), reads);
}
on('htmx:sendError', (e) => failed(e.detail, 'no_connection', 'read_no_connection'));
on('htmx:timeout', (e) => failed(e.detail, 'no_answer', 'read_no_answer'));
on('htmx:responseError', (e) => {
  if (!e.detail.xhr.getResponseHeader('HX-Trigger') && !e.detail.xhr.getResponseHeader('HX-Redirect')) {
    failed(e.detail, 'failed', 'failed');
  }
});
let leaving = false;
on('htmx:beforeOnLoad', (e) => {
  if (e.detail.xhr.getResponseHeader('HX-Redirect')) leaving = true;
});

// See signout.js.
const signOut = document.querySelector('[data-sign-out]');
on('htmx:confirm', (e) => {
  if (e.target !== signOut) return;
  e.preventDefault();
  import('./signout.js').then(({ agreed }) => agreed(e), () => e.detail.issueRequest(true));
});
addEventListener('storage', (e) => {
  if (e.key !== null || !signOut) return;
  forget();
  leaving = true;
  location.replace(signOut.dataset.signOut);
});

// A page that nobody uses looks whether its session goes on, which does not extend it.
// When it is over the page goes; when nobody says so and it must be over, it is emptied.
const [left, idle, most] = (document.body.dataset.life ?? '').split(' ');
const born = Date.now();
let until = born + idle * 1000; // NaN for nobody's page, which is never past
let over = false;
for (const event of ['keydown', 'pointerdown', 'input']) on(event, () => { until = Date.now() + idle * 1000; });
async function look() {
  if (over || !(Date.now() >= until)) return;
  until = Date.now() + 60000;
  try {
    const said = await fetch(left, { headers: { 'HX-Request': 'true', 'HX-Current-URL': location.href, 'X-Waveadmin-Poll': '1' }, signal: AbortSignal.timeout(20000) });
    if (said.ok) until = Date.now() + (Number(await said.text()) + 1) * 1000;
    const way = said.headers.get('HX-Redirect');
    if (said.status < 500 && !way) return;
    if (way) {
      over = leaving = true;
      location.replace(`${way}&ask=1`);
    }
  } catch { /* no answer */ }
  if (!over && Date.now() - born > most * 1000) empty();
}
setInterval(look, 60000);
on('visibilitychange', look);
addEventListener('pageshow', (e) => { if (e.persisted) { until = 0; look(); } });

function empty() {
  over = true;
  forget();
  for (const event of ['keydown', 'click', 'input', 'change', 'focusin']) addEventListener(event, (e) => e.stopImmediatePropagation(), true);
  const words = Object.assign(document.createElement('p'), { textContent: text('session_over') });
  const again = Object.assign(document.createElement('a'), { href: location.href, textContent: text('session_again') });
  const main = Object.assign(document.createElement('main'), { className: 'notice-page' });
  main.append(words, again);
  document.title = 'waveadmin';
  document.body.className = 'plain';
  document.body.replaceChildren(main);
}

// What is new on the page: words to announce, dialogs to open, errors to show.
function arrived(root) {
  for (const el of [root, ...root.querySelectorAll('[data-announce]')]) {
    if (el.dataset?.announce) say(el.dataset.announce);
  }
  for (const dialog of root.querySelectorAll('dialog[data-modal]')) {
    dialog.close();
    dialog.showModal();
  }
  for (const button of root.querySelectorAll('[data-show]')) button.hidden = false;
  for (const group of root.querySelectorAll('[data-password]')) passwordChoice(group);
  for (const note of root.querySelectorAll('#password-error')) { // its field outlives the swap
    document.getElementById('password').setAttribute('aria-invalid', note.textContent !== '');
  }
  const summary = root.matches('.form-error') ? root : root.querySelector('.form-error:not(:empty)');
  if (summary?.textContent.trim()) {
    summary.tabIndex = -1;
    summary.focus();
    const title = text('error_title', { title: '' });
    if (!document.title.startsWith(title)) document.title = title + document.title;
  }
}
on('htmx:load', (e) => arrived(e.detail.elt));

// Search fields: an input method's half-typed words are no search.
function search(field) {
  htmx.trigger(field.matches('[data-search-input]') ? field : field.form, 'wa:search');
}
on('input', (e) => {
  if (e.target.matches('[data-search], [data-search-input]') && !e.isComposing) search(e.target);
});
on('compositionend', (e) => {
  if (e.target.matches('[data-search], [data-search-input]')) search(e.target);
});
on('change', (e) => {
  if (e.target.matches('[data-submit]')) e.target.form.requestSubmit();
  if (e.target.matches('[data-password] [name=input_type]')) passwordChoice(e.target.closest('[data-password]'), true);
});

export function typing(el) {
  return el.isContentEditable || el.matches('input:not([type=checkbox], [type=radio]), textarea, select');
}
on('keydown', (e) => {
  if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
  const field = document.querySelector('[data-search]');
  if (e.key === '/' && field && !typing(e.target) && !document.querySelector('dialog:modal')) {
    e.preventDefault();
    field.focus();
    field.select();
  }
  if (e.key === 'Escape' && e.target === field && field.value) {
    e.preventDefault();
    field.value = '';
    search(field);
  }
  if (e.key === 'Escape') closePopovers(null, true);
});

function closePopovers(inside, focus) {
  for (const box of document.querySelectorAll('[data-popover][open]')) {
    if (inside && box.contains(inside)) continue;
    box.open = false;
    if (focus) box.querySelector('summary').focus();
  }
}

// What gets the focus under a first column that stays comes out from under it. The
// browser does so too, but not for what it takes as in sight.
on('focusin', (e) => {
  const head = e.target.closest('.scroll tr')?.firstElementChild;
  if (!head || head.contains(e.target) || !e.target.matches(':focus-visible')) return; // a press stays where it was
  const { position, left } = getComputedStyle(head);
  if (position !== 'sticky' || left === 'auto') return;
  const under = head.getBoundingClientRect().right - e.target.getBoundingClientRect().left;
  if (under > 0) head.closest('.scroll').scrollLeft -= under + 8;
});

function passwordChoice(group, focus) {
  const custom = group.querySelector('[value=Custom]').checked;
  group.querySelector('[data-custom]').hidden = !custom;
  // The field outlives the form around it, so it cannot come with this.
  group.querySelector('[name=password]').setAttribute('aria-invalid', group.querySelector('#password-error').textContent !== '');
  if (custom && focus) group.querySelector('[name=password]').focus();
}

on('click', (e) => {
  closePopovers(e.target);
  const menu = e.target.closest('[data-menu]');
  if (menu) {
    const open = menu.closest('.side').toggleAttribute('data-open');
    menu.setAttribute('aria-expanded', open);
  }
  const show = e.target.closest('[data-show]');
  if (show) {
    const field = show.parentElement.querySelector('input');
    field.type = field.type === 'password' ? 'text' : 'password';
    show.setAttribute('aria-pressed', field.type === 'text');
  }
  const density = e.target.closest('[data-density-set]');
  if (density) {
    document.documentElement.dataset.density = density.dataset.densitySet;
    fetch(`${location.pathname}?density=${density.dataset.densitySet}`, { redirect: 'manual' });
    markDensity();
  }
  e.target.closest('[data-close]')?.closest('dialog').close();
});
on('submit', () => closePopovers());

export function markDensity() {
  for (const button of document.querySelectorAll('[data-density-set]')) {
    button.setAttribute('aria-pressed', button.dataset.densitySet === document.documentElement.dataset.density);
  }
}

// Ctrl+K, on a Mac Command+K, and its button open the search over the whole tool. What
// is typed at once stands in its field by the time its script is here.
const apple = /Mac|iP/.test(navigator.platform);
let palette = null; // its script, once it was asked for
function openPalette() {
  const dialog = document.getElementById('palette');
  if (!dialog || document.querySelector('dialog:modal')) return;
  closePopovers();
  dialog.querySelector('input').value = '';
  dialog.showModal();
  palette ??= import('./palette.js');
  palette.then(({ opened }) => opened(), () => {
    palette = null;
    dialog.querySelector('[data-palette-status]').textContent = text('palette_not_loaded');
  });
}
on('keydown', (e) => {
  if (e.isComposing || e.keyCode === 229 || e.shiftKey || e.altKey || e.key?.toLowerCase() !== 'k') return;
  if (apple ? !e.metaKey || e.ctrlKey : !e.ctrlKey || e.metaKey) return;
  e.preventDefault(); // the browser's own search is not meant
  openPalette();
});
on('click', (e) => { if (e.target.closest('[data-palette-open]')) openPalette(); });
if (apple) {
  for (const key of document.querySelectorAll('.palette-button kbd')) key.textContent = '⌘K';
  for (const key of document.querySelectorAll('.palette [data-mod]')) key.textContent = '⌘';
}

// A form that has no draft asks before what was typed is lost.
let typed = false;
on('input', (e) => { if (e.target.closest('[data-leave]')) typed = true; });
on('submit', (e) => { if (!e.target.matches('[hx-post]')) leaving = true; });
addEventListener('beforeunload', (e) => { if (typed && !leaving) e.preventDefault(); });
