// A real provider of OpenID Connect (oidc-provider, certified), as a home would have one: over TLS, with two people whose password is the same.
// usage: node provider.mjs FOLDER PORT CHAIN KEY CLIENT SECRET CALLBACK
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [folder, port, chain, key, client, secret, callback] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`));

const people = {
  ada: { name: 'Ada L.', email: 'ada@home.example', groups: ['kids'] },
  ben: { name: 'Ben B.', email: 'ben@home.example', groups: [] },
};
const provider = new Provider(`https://localhost:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: [callback] }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => people[id] && {
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, email_verified: true, ...people[id] }),
  },
  // Whoever has signed in has agreed.
  loadExistingGrant: async ctx => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
});

const page = text => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Provider</title></head><body>${text}</body></html>`;
const form = page('<form method="post"><input name="name"><input name="password" type="password"><button>Go</button></form>');
const answer = provider.callback();
createServer({ cert: readFileSync(chain), key: readFileSync(key) }, async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  response.setHeader('content-type', 'text/html');
  if (request.method !== 'POST') return response.end(form);
  let body = '';
  for await (const part of request) body += part;
  const filled = new URLSearchParams(body);
  if (!people[filled.get('name')] || filled.get('password') !== 'provider password') return response.end(form);
  return provider.interactionFinished(request, response, { login: { accountId: filled.get('name') } });
}).listen(Number(port), '127.0.0.1');
