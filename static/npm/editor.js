// The editor of stacks: CodeMirror over the textarea of the page, which stays what is sent.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, bracketMatching, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, linter } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// Of this page's answer: its policy takes styles with it and no others.
const nonce = document.currentScript?.nonce ?? '';
const form = document.getElementById('stack');
const area = document.getElementById('text');
const list = document.getElementById('mistakes');

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--ember)', fontWeight: '600' },
  { tag: [tags.comment, tags.meta], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: 'var(--warn)' },
]);

const look = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--card)', fontSize: '.88rem' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--sunk)', color: 'var(--soft)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine': { backgroundColor: 'var(--hover)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--ember-soft)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--ember-soft)', color: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--ember) 28%, transparent)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--edge)', borderRadius: '8px' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--ember)', color: 'var(--on-ember)' },
  '.cm-completionInfo': { maxWidth: '24rem', padding: '.5rem .7rem', lineHeight: '1.45' },
  '.cm-textfield, .cm-button': { backgroundColor: 'var(--paper)', backgroundImage: 'none', color: 'var(--ink)', border: '1px solid var(--edge)', borderRadius: '6px' },
  // The library's own marks are pictures in data: addresses, which the page's policy refuses.
  '.cm-lintRange-error, .cm-lintRange-warning': { backgroundImage: 'none', textDecorationLine: 'underline', textDecorationStyle: 'wavy', textUnderlineOffset: '3px' },
  '.cm-lintRange-error': { textDecorationColor: 'var(--bad)' },
  '.cm-lintRange-warning': { textDecorationColor: 'var(--warn)' },
  '.cm-lint-marker': { width: '.7em', height: '.7em', margin: '.4em auto 0' },
  '.cm-lint-marker-error': { content: 'normal', borderRadius: '50%', backgroundColor: 'var(--bad)' },
  '.cm-lint-marker-warning': { content: 'normal', clipPath: 'polygon(50% 0, 100% 100%, 0 100%)', backgroundColor: 'var(--warn)' },
  '.cm-diagnostic': { padding: '.35rem .7rem', fontSize: '.9rem' },
});

// What can stand where, with what it means: fetched when it is first wanted.
let words;
const known = () => (words ??= fetch(form.dataset.words).then((answer) => answer.json()).catch(() => ({ keys: {}, values: {} })));

// The keys above a line, from the top, by how far in they stand.
function above(state, number, indent) {
  const path = [];
  for (let n = number - 1; n >= 1 && indent > 0; n -= 1) {
    const found = /^(\s*)(?:- )?(?:(["']?)([^\s"'#:][^"':]*)\2:(?:\s|$))/.exec(state.doc.line(n).text);
    if (found && found[1].length < indent) {
      path.unshift(found[3]);
      indent = found[1].length;
    }
  }
  return path;
}

function section(path) {
  const [top, , ...rest] = path;
  if (path.length === 0) return 'top';
  if (path.length === 1) return top === 'x-hearth' ? 'stack' : '';
  if (top !== 'services') return path.length === 2 ? top : '';
  if (rest.length === 0) return 'service';
  if (rest[0] === 'x-hearth') return rest.length === 1 ? 'x-hearth' : rest[1];
  if (rest[0] === 'depends_on') return rest.length === 2 ? 'dependency' : '';
  return rest.join('.');
}

async function complete(context) {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const key = /^(\s*)(- )?([\w-]*)$/.exec(before);
  if (key) {
    if (!context.explicit && key[3] === '') return null;
    const all = (await known()).keys[section(above(context.state, line.number, key[1].length + (key[2] ? 2 : 0)))];
    if (!all) return null;
    const options = Object.entries(all).map(([label, info]) => ({ label, info, type: 'property', apply: `${label}: ` }));
    return { from: context.pos - key[3].length, options, validFor: /^[\w-]*$/ };
  }
  const value = /^\s*(?:- )?([\w-]+):\s+(["']?)([\w-]*)$/.exec(before);
  const all = value && (await known()).values[value[1]];
  if (!all) return null;
  return { from: context.pos - value[3].length, options: all.map((label) => ({ label, type: 'enum' })), validFor: /^[\w-]*$/ };
}

const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);

// The list beside the editor, as the server makes it too.
function tell(all) {
  const said = list.dataset;
  if (all.length === 0) return list.replaceChildren(element('li', said.none, { className: 'none' }));
  list.replaceChildren(...all.map((one) => {
    const row = element('li', '');
    const warns = one.severity === 'warning';
    const mark = element('span', '', { className: `mark ${warns ? 'warning' : 'problem'}` });
    mark.setAttribute('aria-hidden', 'true');
    const state = element('span', '', { className: 'state' });
    const kind = element('span', warns ? said.warning : said.mistake, { className: 'soft' });
    if (one.own) {
      const link = element('a', `${said.line} ${one.place.line}`, { href: `#line-${one.place.line}` });
      link.dataset.line = one.place.line;
      kind.append(', ', link);
    } else if (one.place) kind.append(', ', element('code', `${one.place.file.split('/').slice(-2).join('/')}:${one.place.line}`));
    state.append(kind, element('br', ''), one.title);
    for (const hint of one.hints ?? []) state.append(element('br', ''), element('span', hint, { className: 'why' }));
    row.append(mark, state);
    return row;
  }));
}

const name = () => document.getElementById('name')?.value.trim() || '';

async function look_through(view) {
  const checks = name() ? `/api/v1/stacks/${encodeURIComponent(name())}/validate` : form.dataset.checks;
  const file = checks.split('/').at(-2);
  const answer = await fetch(checks, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: view.state.doc.toString() }) }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  const all = told?.diagnostics ?? told?.errors ?? (told?.error && [told.error]);
  // Nobody has looked: then nothing is said of it, not that it is sound.
  if (!all) return [];
  const doc = view.state.doc;
  for (const one of all) {
    one.own = Boolean(one.place) && [`stacks/${file}.yaml`, `stacks/${file}.yml`].some((end) => one.place.file.endsWith(`/${end}`));
  }
  all.sort((a, b) => (a.own ? a.place.line : 0) - (b.own ? b.place.line : 0));
  tell(all);
  return all.filter((one) => one.own && one.place.line <= doc.lines).map((one) => {
    const line = doc.line(one.place.line);
    const from = Math.min(line.from + one.place.column - 1, line.to);
    const to = Math.min(from + one.place.width, line.to);
    return { from, to, severity: one.severity === 'warning' ? 'warning' : 'error', message: [one.title, ...(one.hints ?? [])].join('\n') };
  });
}

function begin() {
  const host = document.createElement('div');
  host.className = 'cm-host';
  area.before(host);
  const label = document.querySelector('label[for=text]');
  const hint = document.getElementById('keys-hint');
  hint.textContent = hint.dataset.editor;
  // Here a link to a line leads into the editor.
  document.querySelector('.excerpt')?.remove();
  let changed = false;
  const state = EditorState.create({
    doc: area.value,
    extensions: [
      EditorView.cspNonce.of(nonce),
      lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), drawSelection(), history(), bracketMatching(), closeBrackets(), highlightSelectionMatches(),
      indentUnit.of('  '), EditorState.tabSize.of(2), EditorView.lineWrapping,
      yaml(), syntaxHighlighting(colours), look,
      autocompletion({ override: [complete], icons: false }),
      linter(look_through, { delay: 400 }), lintGutter(),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
      EditorView.contentAttributes.of({ 'aria-label': label.textContent, 'aria-describedby': 'keys-hint', spellcheck: 'false', autocapitalize: 'off' }),
      EditorView.updateListener.of((update) => { changed ||= update.docChanged; }),
    ],
  });
  const view = new EditorView({ state, parent: host });
  // Whoever has begun to type goes on where they are. The keyboard of a telephone stays, for there is always something to type into.
  if (document.activeElement === area) {
    view.dispatch({ selection: { anchor: area.selectionStart, head: area.selectionEnd } });
    view.focus();
  }
  area.hidden = true;
  label.addEventListener('click', () => view.focus());
  form.addEventListener('submit', () => {
    area.value = view.state.doc.toString();
    changed = false;
  });
  // What was typed is not left behind by mistake.
  addEventListener('beforeunload', (event) => { if (changed) event.preventDefault(); });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-line]');
    if (!link) return;
    event.preventDefault();
    const line = view.state.doc.line(Math.min(Number(link.dataset.line), view.state.doc.lines));
    view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
    view.focus();
  });
  area.editor = view;
}

if (form && area) begin();
