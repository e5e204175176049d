// Asks too much of a front door, as one machine can: `node crowd.mjs heads|streams ADDRESS PORT HOST`. Prints a line when it has all it wants, holds
// it until it is told to end (SIGTERM), and prints how its requests were answered, as JSON.
import http2 from 'node:http2';
import tls from 'node:tls';

const [how, address, port, host] = process.argv.slice(2);
const answers = {};
const count = (what) => { answers[what] = (answers[what] ?? 0) + 1; };
const connect = (protocol) => tls.connect({ host: address, port: +port, servername: host, ALPNProtocols: [protocol], rejectUnauthorized: false });

// Heads without an end: nothing is answered, and all of them are kept.
async function heads(connections) {
  const lines = Array.from({ length: 58 }, (_, n) => `X-${n}: ${'a'.repeat(1000)}\r\n`).join('');
  const one = () => new Promise((resolve) => {
    const socket = connect('http/1.1');
    socket.on('secureConnect', () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}`, () => { count('sent'); resolve(); }));
    socket.on('error', () => { count('broken'); resolve(); });
    socket.resume();
  });
  for (let n = 0; n < connections; n += 50) await Promise.all(Array.from({ length: 50 }, one));
}

// As many requests at once as HTTP/2 gives, each with a session that nobody has and all the cookies that it takes; a new one for each that ends.
async function streams(connections, each, seconds) {
  const end = Date.now() + seconds * 1000;
  const cookie = () => `__Host-hearth=${crypto.randomUUID()}; f=${'x'.repeat(44_000)}`;
  for (let n = 0; n < connections; n++) {
    const session = http2.connect(`https://${host}`, { createConnection: () => connect('h2') });
    session.on('error', () => count('broken'));
    const one = () => {
      if (Date.now() > end || session.destroyed || session.closed) return;
      const request = session.request({ ':path': '/', cookie: cookie() });
      request.on('response', (head) => count(head[':status']));
      request.on('error', () => count('refused'));
      request.on('close', one);
      request.resume();
    };
    session.on('connect', () => { for (let n = 0; n < each; n++) one(); });
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

await (how === 'heads' ? heads(3500) : streams(60, 200, 14));
process.on('SIGTERM', () => {
  console.log(JSON.stringify(answers));
  process.exit(0);
});
setInterval(() => {}, 1000);
console.log('done');
