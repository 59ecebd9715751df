'use strict';
// Drives a queue of the real BullMQ on a Redis: node bullmq_jobs.cjs PORT work|add|obliterate [COUNT]
//   work: adds COUNT jobs and has them all worked on, as fast as it goes; add: COUNT jobs that wait; obliterate: the
//   whole queue is deleted. Prints one JSON line when all is done.
const path = require('path');
const { createRequire } = require('module');
const service = createRequire(path.join(__dirname, '..', '..', 'examples', 'whatsapp-service', 'server.js'));
const { Queue, Worker } = service('bullmq');

const [port, what, count = '0'] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port) };
const options = { attempts: 3, backoff: { type: 'exponential', delay: 2000 }, removeOnComplete: 100 };
const queue = new Queue('messages', { connection });
const jobs = Number(count);

async function add() {
  for (let first = 0; first < jobs; first += 500) {
    await queue.addBulk(Array.from({ length: Math.min(500, jobs - first) }, (_, i) => (
      { name: 'send', data: { to: `34600${first + i}`, text: `Your order ${first + i} leaves today` }, opts: options })));
  }
}

async function work() {
  let completed = 0;
  const worker = new Worker('messages', async (job) => ({ messageId: `m-${job.id}` }), { connection, concurrency: 50 });
  const all = new Promise((resolve) => worker.on('completed', () => { if (++completed === jobs) resolve(); }));
  await add();
  await all;
  await worker.close();
}

const actions = { work, add, obliterate: () => queue.obliterate({ force: true }) };
const started = Date.now();
actions[what]().then(async () => {
  const counts = await queue.getJobCounts('wait', 'completed');
  console.log(JSON.stringify({ seconds: (Date.now() - started) / 1000, ...counts }));
  process.exit(0);
}, (error) => { console.error(error); process.exit(1); });
