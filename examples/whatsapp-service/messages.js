'use strict';
// The queue and its worker: BullMQ, one job a message, and the counters beside it in Redis.
const crypto = require('crypto');
const Redis = require('ioredis');
const { Queue, Worker, UnrecoverableError } = require('bullmq');

const DAY = 86400;
const PRIORITIES = { critical: 1, high: 2, normal: 3, low: 4 };
const PROBE = 'dr-probe'; // a job that shows that the queue is consumed; it never reaches a customer
const probeKey = (id) => `whatsapp:probe:${id}`;
const BACKOFF = { type: 'exponential', delay: 2000 };
const JOB = { attempts: 3, backoff: BACKOFF, removeOnComplete: { count: 1000, age: DAY }, removeOnFail: { count: 5000 } };

class Messages {
  constructor(settings, log) {
    Object.assign(this, { settings, log, sending: 0, added: 0, processed: 0, failed: 0, seconds: 0, lastError: 0 });
    const retryStrategy = (times) => Math.min(50 * times, 1000);
    // An add whose connection broke is reported, never sent again unasked: it may have been done.
    this.redis = new Redis(settings.REDIS_URL, {
      retryStrategy, connectTimeout: 2000, commandTimeout: 5000, maxRetriesPerRequest: 0, enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    });
    this.workerRedis = new Redis(settings.REDIS_URL, { retryStrategy, connectTimeout: 2000, maxRetriesPerRequest: null });
    const prefix = settings.QUEUE_PREFIX;
    this.queue = new Queue(settings.QUEUE_NAME, { connection: this.redis, prefix });
    const limiter = settings.LIMIT_MAX ? { max: settings.LIMIT_MAX, duration: settings.LIMIT_MS } : undefined;
    this.worker = new Worker(settings.QUEUE_NAME, (job) => this.process(job), {
      connection: this.workerRedis, prefix, concurrency: settings.CONCURRENCY, limiter,
      lockDuration: settings.LOCK_MS, stalledInterval: settings.STALLED_MS, maxStalledCount: 3,
    });
    this.worker.on('failed', (job, error) => this.onFailed(job, error).catch((e) => this.onError(e)));
    for (const one of [this.redis, this.workerRedis, this.queue, this.worker]) one.on('error', (e) => this.onError(e));
  }

  // A damaged key makes a worker fail thousands of times a second: one line a second tells it.
  onError(error) {
    if (Date.now() - this.lastError < 1000) return;
    this.lastError = Date.now();
    this.log('error', { message: error.message });
  }

  get connected() { return this.redis.status === 'ready'; }

  async add(messages) {
    const stored = await this.queue.addBulk(messages.map(({ data, priority, delay, id }) => ({
      name: 'send-message', data, opts: { ...JOB, priority: PRIORITIES[priority] ?? 3, delay, ...(id && { jobId: id }) },
    })));
    this.added += stored.length;
    return stored.map((job) => job.id);
  }

  // Without a priority it is taken before every message that waits.
  async addProbe() {
    const id = `${PROBE}-${crypto.randomUUID()}`;
    await this.queue.add(PROBE, { sentAt: Date.now() }, { jobId: id, removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } });
    return id;
  }

  async probe(id) {
    const [consumed, job] = await Promise.all([this.redis.get(probeKey(id)), this.queue.getJob(id)]);
    return consumed ? { id, state: 'consumed', ...JSON.parse(consumed) } : job && { id, state: await job.getState() };
  }

  async process(job) {
    const started = Date.now();
    if (job.name === PROBE) {
      const consumed = { consumedAt: new Date(started).toISOString(), latencyMs: started - job.data.sentAt, by: this.settings.port };
      await this.redis.set(probeKey(job.id), JSON.stringify(consumed), 'EX', 3600);
      return consumed;
    }
    // The same for every attempt, and after a restore; ids alone come again when the counter is rolled back.
    const key = `${this.settings.QUEUE_NAME}:${job.id}:${job.timestamp}`;
    const { recipientPhone: number, content: { text }, instanceName: instance } = job.data;
    this.sending += 1;
    const answer = await fetch(this.settings.PROVIDER_URL, {
      method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ number, text, instance }), signal: AbortSignal.timeout(this.settings.PROVIDER_TIMEOUT_MS),
    }).finally(() => { this.sending -= 1; });
    const reply = await answer.text();
    if (answer.status >= 400 && answer.status < 500 && ![408, 429].includes(answer.status)) {
      throw new UnrecoverableError(`the provider refused it: ${answer.status}`);
    }
    if (!answer.ok) throw new Error(`the provider answered ${answer.status}`);
    Object.assign(this, { processed: this.processed + 1, seconds: this.seconds + (Date.now() - started) / 1000 });
    await this.count(job, key);
    return { success: true, messageId: JSON.parse(reply).key.id, sentAt: new Date().toISOString(), attempts: job.attemptsMade + 1 };
  }

  // The message is sent: what fails here must not have it sent again.
  async count(job, key) {
    const now = Date.now();
    const { recipientPhone: phone, messageType: type, metadata } = job.data;
    const name = (rest) => `analytics:whatsapp:${rest}`;
    const counters = [name(`sent:day:${new Date(now).toISOString().slice(0, 10)}`), name(`sent:phone:${phone}`)];
    if (metadata?.campaignId) counters.push(name(`sent:campaign:${metadata.campaignId}`));
    const all = this.redis.multi().incr(name('sent:total')).sadd(name('conversations:active'), phone);
    for (const counter of counters) all.incr(counter).expire(counter, 30 * DAY);
    all.zadd(name('timeline'), now, key).zremrangebyrank(name('timeline'), 0, -10001);
    all.hset(name(`message:${key}`), { phone, type, sentAt: now }).expire(name(`message:${key}`), 7 * DAY);
    all.incr('whatsapp:completed:1min').expire('whatsapp:completed:1min', 60, 'NX');
    const replies = await all.exec().catch((error) => [[error]]);
    for (const [error] of replies) if (error) this.onError(error);
  }

  async onFailed(job, error) {
    if (!job || (job.attemptsMade < (job.opts.attempts ?? 1) && !(error instanceof UnrecoverableError))) return;
    this.failed += 1;
    await this.redis.lpush('whatsapp:dlq', JSON.stringify({ id: job.id, data: job.data, reason: error.message }));
  }

  async metrics() {
    const { wait, paused, prioritized, ...rest } = await this.queue.getJobCounts(
      'wait', 'paused', 'prioritized', 'active', 'completed', 'failed', 'delayed');
    return { waiting: wait + paused + prioritized, ...rest, dlq: await this.redis.llen('whatsapp:dlq') };
  }

  // Takes no more jobs, finishes those it has.
  async close() {
    await this.worker.close();
    await this.queue.close();
    for (const one of [this.redis, this.workerRedis]) one.disconnect();
  }
}

module.exports = { Messages };
