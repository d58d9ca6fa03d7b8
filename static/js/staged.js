// What is staged of many accounts at once, and how it is handed over to a preview. A
// page that shows many accounts keeps here which flag of which account is to become
// what, with the value that the person saw, so that it survives search, filter, pages,
// a reload and a new sign-in. Nothing here writes to an account.
//
// An entry is {user, flag, seen, want}: seen is "on", "off" or "unset", want is true or
// false. A page may add what it wants to know of the account again, such as its email.
// There is at most one entry for a flag of an account, in the order of staging.

import { session, whenOpen } from './page.js';

// stagedStore is what is staged at a place ("matrix", "flag.invoice") by the person of
// this page, in this tab. What is set before it is known what is kept lies over that.
export function stagedStore(place) {
  const key = `waveadmin.staged.${document.body.dataset.user}.${place}`;
  const kept = `${key}.handed`;
  let entries = new Map();
  const id = (user, flag) => `${user}\n${flag}`;
  const keep = () => write(key, entries);
  whenOpen(() => {
    const early = entries;
    entries = new Map([...read(key), ...early]);
    if (early.size > 0) keep();
  });
  return {
    get: (user, flag) => entries.get(id(user, flag)),
    all: () => [...entries.values()],
    // set stages; to want what was seen is to want nothing.
    set(entry) {
      if (entry.want === (entry.seen === 'on')) entries.delete(id(entry.user, entry.flag));
      else entries.set(id(entry.user, entry.flag), entry);
      keep();
    },
    drop(user, flag) {
      if (entries.delete(id(user, flag))) keep();
    },
    clear() {
      entries = new Map();
      keep();
    },
    // handedOver is for after a preview has been made of everything: nothing is staged
    // any more, but the way back stays open until the next time.
    handedOver() {
      write(kept, entries);
      this.clear();
    },
    handed: () => [...read(kept).values()],
    // bringBack stages again what was handed over, where nothing newer is staged.
    bringBack() {
      entries = new Map([...read(kept), ...entries]);
      write(kept, new Map());
      keep();
    },
    forgetHanded: () => write(kept, new Map()),
  };
}

const read = (key) => new Map(session.get(key) ?? []);
const write = (key, entries) => session.set(key, entries.size > 0 && [...entries]);

// planOf is what a preview is asked for: the entries account by account, as the field
// plan of a POST to the bulk changes takes them.
export function planOf(source, entries) {
  const items = new Map();
  for (const { user, flag, seen, want } of entries) {
    if (!items.has(user)) items.set(user, { user, seen: {}, want: {} });
    items.get(user).seen[flag] = seen;
    items.get(user).want[flag] = want ? 'on' : 'off';
  }
  return JSON.stringify({ source, items: [...items.values()] });
}

// accountsOf counts the accounts of entries.
export const accountsOf = (entries) => new Set(entries.map((entry) => entry.user)).size;

// handOver makes an htmx form that posts to the bulk changes bring what is staged to a
// preview, with what fields(form) adds. Once the plan is stored the browser goes to it;
// whatever else happens, everything stays staged.
export function handOver(formID, source, store, fields = () => ({})) {
  document.addEventListener('htmx:configRequest', (e) => {
    if (e.detail.elt.id !== formID || e.detail.verb !== 'post') return;
    const as = e.detail.elt.elements.as?.value;
    e.detail.parameters = { ...(as && { as }), plan: planOf(source, store.all()), ...fields(e.detail.elt) };
  });
  document.addEventListener('htmx:beforeOnLoad', (e) => {
    const { xhr, elt } = e.detail;
    if (elt.id === formID && xhr.status === 204 && xhr.getResponseHeader('HX-Redirect')) store.handedOver();
  });
}
