// Runs MDN HTTP Observatory against https://localhost:PORT and prints each test. It
// fails unless all pass and the grade is A+. Its own scan() knows no ports, so its parts
// are put together here. Nobody listens for plain HTTP, as with the product.
import { ALL_TESTS, NUM_TESTS } from '@mdn/mdn-http-observatory/src/constants.js';
import { MINIMUM_SCORE_FOR_EXTRA_CREDIT } from '@mdn/mdn-http-observatory/src/grader/charts.js';
import { getGradeForScore, getScoreModifier } from '@mdn/mdn-http-observatory/src/grader/grader.js';
import { retrieve } from '@mdn/mdn-http-observatory/src/retriever/retriever.js';

const [port] = process.argv.slice(2);
const found = await retrieve('localhost', { httpsPort: port, httpPort: '1', path: '/auth/signed-out' });
if (found.responses.auto?.status !== 200) throw new Error('the site does not answer');
let base = 100;
let extra = 0;
let passed = 0;
for (const test of ALL_TESTS) {
  const output = test(found);
  const change = output.result ? getScoreModifier(output.result) : 0;
  if (change < 0) base += change;
  else extra += change;
  if (output.pass) passed++;
  console.log(`${output.pass ? 'pass' : 'FAIL'}  ${output.constructor.name}: ${output.result} (${change})`);
}
const { grade, score } = getGradeForScore(base >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? base + extra : base);
console.log(`grade ${grade}, score ${score}, ${passed} of ${NUM_TESTS} tests passed`);
process.exitCode = grade === 'A+' && passed === NUM_TESTS ? 0 : 1;
