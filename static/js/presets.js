// The form of a preset: marks of what is changed and not saved, the count in the
// save bar, Ctrl+S, and a draft that outlives a session that ended.
import { local, say, session, text, whenOpen } from './page.js';

const form = document.querySelector('[data-preset-form]');
const flags = form ? [...form.querySelectorAll('[data-flag]')] : [];
const words = form ? [...form.querySelectorAll('[name=name], [name=note]')] : [];
const chosen = (flag) => flag.querySelector(':checked')?.value ?? flag.dataset.saved;

// edits is what differs from what is saved, by field.
function edits() {
  const out = {};
  for (const flag of flags) if (chosen(flag) !== flag.dataset.saved) out[flag.dataset.flag] = chosen(flag);
  for (const field of words) if (field.value !== field.dataset.saved) out[field.name] = field.value;
  return out;
}

function mark() {
  for (const flag of flags) flag.toggleAttribute('data-dirty', chosen(flag) !== flag.dataset.saved);
  const count = Object.keys(edits()).length;
  const none = form.dataset.presetForm === 'new' ? '' : text('preset_unsaved_none');
  form.querySelector('[data-preset-unsaved]').textContent = count ? text('preset_unsaved', { count }) : none;
  form.querySelector('.savebar').toggleAttribute('data-dirty', count > 0);
}

const key = `waveadmin.preset.${document.body.dataset.user}.${form?.getAttribute('action')}`;
const sentKey = 'waveadmin.preset.sent'; // the draft of the form that was sent last from this window
let offered = {}; // of a draft that is neither restored nor dropped

function keep() {
  const fields = { ...offered, ...edits() };
  local.set(key, Object.keys(fields).length > 0 && { at: Date.now(), fields });
}

function bring(fields) {
  for (const field of words) if (field.name in fields) field.value = fields[field.name];
  for (const flag of flags) {
    const box = [...flag.querySelectorAll('input')].find((input) => input.value === fields[flag.dataset.flag]);
    if (box) box.checked = true;
  }
}

function button(label, act) {
  const b = document.createElement('button');
  b.type = 'button';
  b.className = 'btn small';
  b.textContent = label;
  b.addEventListener('click', () => {
    act();
    offered = {};
    document.getElementById('preset-draft').hidden = true;
    mark();
    keep();
    (words[0] ?? form).focus();
  });
  return b;
}

// offer tells of a draft that differs from what the form shows.
function offer() {
  const draft = local.get(key);
  const now = { ...Object.fromEntries(flags.map((flag) => [flag.dataset.flag, chosen(flag)])), ...Object.fromEntries(words.map((field) => [field.name, field.value])) };
  const fields = Object.fromEntries(Object.entries(draft?.fields ?? {}).filter(([name, value]) => name in now && now[name] !== value));
  if (!Object.keys(fields).length) { keep(); return; }
  offered = fields;
  if (Object.keys(edits()).length) keep(); // of a moment ago, or restored by the browser
  const place = document.getElementById('preset-draft');
  const line = document.createElement('p');
  const time = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: 'short', timeStyle: 'short', timeZone: document.documentElement.dataset.zone });
  line.textContent = text('preset_draft', { time });
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.append(button(text('preset_draft_restore'), () => bring(fields)), button(text('preset_draft_drop'), () => {}));
  place.className = 'notice-line';
  place.replaceChildren(line, bar);
  place.hidden = false;
  say(line.textContent);
}

whenOpen(() => {
  const sent = session.get(sentKey);
  session.set(sentKey, null);
  if (sent && document.querySelector('.notice-line.success')) local.set(sent, null);
  if (form) offer();
});

if (form) {
  mark();
  form.addEventListener('input', () => { mark(); keep(); });
  form.querySelector('[data-preset-discard]').addEventListener('click', () => local.set(key, null));
  let sending = false; // until the next page is here
  addEventListener('pageshow', () => { sending = false; });
  form.addEventListener('submit', (e) => {
    if (sending) {
      e.preventDefault();
      say(text('busy'));
      return;
    }
    sending = true;
    session.set(sentKey, key);
  });
  document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.keyCode === 229 || e.altKey || e.shiftKey || !(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 's' || document.querySelector('dialog:modal')) return;
    e.preventDefault();
    if (!e.repeat) form.requestSubmit(form.querySelector('[data-testid=save]'));
  });
}

// A file is read into the field beside it, where it can be looked at and mended.
for (const choice of document.querySelectorAll('[data-file-choice]')) {
  choice.hidden = false;
  choice.querySelector('input').addEventListener('change', async (e) => {
    const [file] = e.target.files;
    if (file) document.getElementById(e.target.dataset.fileInto).value = await file.text();
  });
}
