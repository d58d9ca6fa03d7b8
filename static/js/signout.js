// What signing out does in the browser. The server asks for the same with
// Clear-Site-Data, which not every browser follows. Other tabs hear of what is cleared,
// and show nothing more: page.js.
import { forget, local, session } from './page.js';

// hasEdits reports whether anything is kept here that was staged and not saved.
function hasEdits() {
  if (local.names().length > 0 || session.names().some((name) => /^waveadmin\.staged\.(?!.*\.handed$)/.test(name))) return true;
  try {
    return localStorage.length > 0; // of others, too
  } catch {
    return false; // nothing is kept where nothing may be
  }
}

// agreed sends the form of e, an htmx:confirm, unless its person wants to keep edits that
// would be lost, and clears what is kept once it has been answered.
export function agreed(e) {
  if (!hasEdits()) { send(e); return; }
  const ask = document.getElementById('sign-out-ask');
  ask.querySelector('[data-sign-out-now]').onclick = () => { ask.close(); send(e); };
  ask.showModal();
}

function send(e) {
  e.target.addEventListener('htmx:beforeOnLoad', ({ detail }) => {
    if (detail.xhr.status < 400) clear();
  });
  e.detail.issueRequest(true);
}

function clear() {
  forget();
  try {
    localStorage.setItem('waveadmin.gone', ''); // other tabs hear of it only if there is something to clear
    localStorage.clear();
    sessionStorage.clear();
  } catch { /* as above */ }
}
