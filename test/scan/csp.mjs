// Runs csp_evaluator on the policy of pages of https://localhost:PORT, as nobody and with
// the cookie of an editor. It fails on a finding that is more than information, and when a
// page is not the one that is meant: one that leads to sign-in has a policy, too.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { CspEvaluator } = require('csp_evaluator/dist/evaluator.js');
const { CspParser } = require('csp_evaluator/dist/parser.js');
const { Severity } = require('csp_evaluator/dist/finding.js');

const [port, cookie] = process.argv.slice(2);
const pages = [
  ['/auth/signed-out', '', 200],
  ['/none', '', 404],
  ['/', cookie, 200],
  ['/resellers', cookie, 200],
  ['/matrix', cookie, 200],
  ['/resellers/new', cookie, 200],
];
for (const [path, who, status] of pages) {
  const page = await fetch(`https://localhost:${port}${path}`, { headers: who ? { cookie: who } : {}, redirect: 'manual' });
  const policy = page.headers.get('content-security-policy');
  const findings = new CspEvaluator(new CspParser(policy ?? '').csp).evaluate();
  const worst = findings.filter((finding) => finding.severity < Severity.INFO);
  console.log(`${path} as ${who ? 'an editor' : 'nobody'} (${page.status}): ${findings.length} findings, ${worst.length} of them more than information`);
  for (const finding of findings) {
    console.log(`  severity ${finding.severity}: ${finding.directive} ${finding.value ?? ''}: ${finding.description}`);
  }
  if (page.status !== status) console.log(`  expected ${status}`);
  if (!policy || worst.length > 0 || page.status !== status) process.exitCode = 1;
}
