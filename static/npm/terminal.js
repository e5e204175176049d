// A terminal in a container: what is typed goes over the socket of the API, and what the program says comes back by it.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

// The policy of the page takes the style sheets that the terminal makes by this word.
const { nonce } = document.currentScript;
const make = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = make(name, options);
  if (String(name).toLowerCase() === 'style') element.nonce = nonce;
  return element;
};

const SHELLS = ['/bin/bash', '/bin/sh', '/bin/ash'];
// Bytes of one frame: the server takes twice as many.
const FRAME = 32 * 1024;
// A program that is not there ends so, and at once.
const MISSING = [126, 127];

const by = (id) => document.getElementById(id);
const box = by('terminal');
const words = box.dataset;
const coder = new TextEncoder();
const decoder = new TextDecoder();
const NOT_THERE = /^OCI runtime exec failed/;
const style = () => {
  const of = getComputedStyle(box);
  const colour = (name) => of.getPropertyValue(name).trim();
  return { background: colour('--sunk'), foreground: colour('--ink'), cursor: colour('--ember'), selectionBackground: colour('--edge') };
};
const terminal = new Terminal({
  cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
  fontSize: 14,
  minimumContrastRatio: 4.5,
  scrollback: 5000,
  theme: style(),
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(box);
fit.fit();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { terminal.options.theme = style(); });

const say = (text, bad = false) => {
  by('terminal-state').textContent = text;
  by('terminal-state').classList.toggle('lost', bad);
};
const button = by('terminal-connect');
let socket = null;
// Whether any program was begun since the last press.
let reached = false;
const send = (data) => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const bytes = coder.encode(data);
  for (let at = 0; at < bytes.length; at += FRAME) socket.send(bytes.subarray(at, at + FRAME));
};
terminal.onData(send);
terminal.onBinary((text) => { if (socket?.readyState === WebSocket.OPEN) socket.send(Uint8Array.from(text, (c) => c.charCodeAt(0))); });
terminal.onResize(({ rows, cols }) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ resize: { rows, columns: cols } }));
});
new ResizeObserver(() => fit.fit()).observe(box);
// Tab is the program's: another key leads out.
terminal.attachCustomKeyEventHandler((event) => {
  if (event.type !== 'keydown' || event.key !== 'Escape' || !event.shiftKey) return true;
  button.focus();
  return false;
});

// Words of a command, as somebody writes them: quotes keep blanks together, and nothing else has a meaning.
const split = (text) => [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3]);

// One program, until it ends. Gives `missing` where it is none.
const run = async (command) => {
  const asked = { command, tty: { rows: terminal.rows, columns: terminal.cols } };
  if (words.project) asked.project = words.project;
  const user = by('terminal-user')?.value.trim();
  if (user) asked.user = user;
  const answer = await fetch(words.exec, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(asked) }).catch(() => null);
  if (!answer) { say(words.unreached, true); return 'over'; }
  const given = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const error = given.error ?? {};
    say([error.title, ...(error.hints ?? [])].filter(Boolean).join('. '), true);
    return 'over';
  }
  return new Promise((end) => {
    const own = new WebSocket(`wss://${location.host}${given.path}`);
    const began = performance.now();
    let code = null;
    let error = null;
    let opened = false;
    let told = false;
    // A program that is not there says so by the engine's mouth, and nothing else.
    const open = () => { if (!told && socket === own) { told = true; say(words.open); } };
    socket = own;
    own.binaryType = 'arraybuffer';
    own.onopen = () => {
      opened = true;
      reached = true;
      setTimeout(open, 3000);
      button.textContent = words.again;
      fit.fit();
      own.send(JSON.stringify({ resize: { rows: terminal.rows, columns: terminal.cols } }));
    };
    own.onmessage = ({ data }) => {
      if (typeof data !== 'string') {
        const bytes = new Uint8Array(data, 1);
        if (!told && NOT_THERE.test(decoder.decode(bytes))) return;
        open();
        terminal.write(bytes);
        return;
      }
      const last = JSON.parse(data);
      if ('exit_code' in last) code = last.exit_code;
      if (last.error) error = last.error;
    };
    own.onclose = ({ code: how }) => {
      if (socket !== own) { end('over'); return; }
      socket = null;
      const soon = performance.now() - began < 3000;
      if (!opened || (MISSING.includes(code) && soon)) { end('missing'); return; }
      if (error) say([error.title, ...(error.hints ?? [])].join('. '), true);
      else if (how === 4001) say(words.taken, true);
      else if (how === 1001) say(words.stops, true);
      else if (how === 1000) say(code === null ? words.over : words.ended.replace('%n', code));
      else say(words.lost, true);
      end('over');
    };
  });
};

const connect = async () => {
  const before = socket;
  socket = null;
  before?.close(1000);
  reached = false;
  terminal.reset();
  terminal.focus();
  say(words.opening);
  const chosen = by('terminal-shell').value;
  const own = split(by('terminal-own').value);
  const commands = chosen === 'own' && own.length ? [own] : chosen && chosen !== 'own' ? [[chosen]] : SHELLS.map((shell) => [shell]);
  for (const command of commands) {
    if (await run(command) !== 'missing') return;
    terminal.reset();
  }
  say(reached ? words.none : words.unreached, true);
};
by('terminal-tools').addEventListener('submit', (event) => { event.preventDefault(); connect(); });
by('terminal-shell').addEventListener('change', ({ target }) => {
  by('terminal-own-field').hidden = target.value !== 'own';
  if (target.value === 'own') by('terminal-own').focus();
});
by('terminal-reader').addEventListener('change', ({ target }) => { terminal.options.screenReaderMode = target.checked; });

// What was copied somewhere may be another than what was seen there: several lines are run one by one, and what is hidden does what nobody sees.
const HIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const paste = by('terminal-paste');
let text = '';
box.addEventListener('paste', (event) => {
  text = event.clipboardData?.getData('text/plain') ?? '';
  const hidden = HIDDEN.test(text);
  if (!hidden && !/[\r\n]/.test(text)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const lines = text.split(/\r\n|\r|\n/).length;
  by('terminal-paste-words').textContent = words.paste.replace('%n', lines.toLocaleString()) + (hidden ? ` ${words.hidden}` : '');
  const shown = (c) => (c.charCodeAt(0) < 32 ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : `[U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);
  by('terminal-paste-text').textContent = text.slice(0, 4000).replace(new RegExp(HIDDEN, 'g'), shown);
  paste.showModal();
}, true);
paste.addEventListener('close', () => {
  if (paste.returnValue === 'paste') terminal.paste(text);
  text = '';
  paste.returnValue = '';
  terminal.focus();
});

addEventListener('pagehide', () => socket?.close(1000));
window.hearthTerminal = terminal;
connect();
