// Runs the official conformance suite against a server that is reached through a name of this machine, as the suite wants it, and tells
// which checks passed. What stands between adds nothing: requests go on as they came, and the name that the suite knows becomes the
// server's.
//
//   node suite.mjs SUITE REVISION TARGET       KEY, CONNECT and CA in the environment, where the server is asked directly
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';

const [suite, revision, target] = process.argv.slice(2);
const { KEY, CONNECT, CA } = process.env;
const url = new URL(target);
const secure = url.protocol === 'https:' ? { servername: url.hostname, ca: fs.readFileSync(CA) } : {};
const [host, port] = (CONNECT ?? `${url.hostname}:80`).split(':');

const front = http.createServer((request, response) => {
  const own = `localhost:${front.address().port}`;
  const headers = {};
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    headers[request.rawHeaders[n]] = request.rawHeaders[n + 1].replace(own, url.host);
  }
  if (KEY) headers.Authorization = `Bearer ${KEY}`;
  const asked = request.url.replace(/^\/mcp/, url.pathname);
  const options = { ...secure, host, port, method: request.method, path: asked, headers, setHost: false };
  const on = (url.protocol === 'https:' ? https : http).request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders.flatMap((it, n, all) => (n % 2 || /^(connection|keep-alive|transfer-encoding)$/i.test(it) ? [] : [[it, all[n + 1]]])));
    response.flushHeaders();
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  on.on('error', () => response.destroy());
  response.on('close', () => on.destroy());
  request.pipe(on);
});

front.listen(0, 'localhost', () => {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'suite-'));
  const options = ['server', '--url', `http://localhost:${front.address().port}/mcp`, '--requirements', revision, '-o', out];
  const child = spawn(process.execPath, [suite, ...options], { stdio: ['ignore', 'inherit', 'inherit'] });
  child.on('exit', (code) => {
    const checks = { code, passed: [], failed: [] };
    for (const folder of fs.readdirSync(out)) {
      const scenario = folder.replace(/^server-/, '').replace(/-20\d\d-\d\d-\d\dT.*/, '');
      for (const check of JSON.parse(fs.readFileSync(path.join(out, folder, 'checks.json')))) {
        const name = `${scenario}: ${check.id}`;
        if (check.status === 'SUCCESS') checks.passed.push(name);
        if (check.status === 'FAILURE') checks.failed.push(`${name}: ${check.errorMessage}`);
      }
    }
    console.log('SHOWN', JSON.stringify(checks));
    process.exit(0);
  });
});
