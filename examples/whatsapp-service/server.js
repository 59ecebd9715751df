'use strict';
// A message gateway: HTTP in, a BullMQ queue between, a provider by HTTP out. Each path also stands under /api.
const crypto = require('crypto');
const http = require('http');
const { read } = require('./settings');
const { Messages } = require('./messages');

const [MAX_BODY, TYPES] = [1024 * 1024, ['text', 'media', 'template', 'interactive']];
const settings = read(process.env);
const log = (event, fields) => console.log(JSON.stringify({ at: new Date(), event, instance: settings.port, ...fields }));
const messages = new Messages(settings, log);
const digest = (text) => crypto.createHash('sha256').update(text).digest();
let draining = false;

class Refusal extends Error {
  constructor(status, error, message, rest = {}) {
    super(message);
    Object.assign(this, { status, body: { error, message, ...rest } });
  }
}

// Whatever the content type says: curl's default is that of a form.
async function bodyOf(request) {
  let body = '';
  request.setEncoding('utf8');
  for await (const part of request) {
    body += part;
    if (body.length > MAX_BODY) throw new Refusal(413, 'too_large', `a body has at most ${MAX_BODY} characters`);
  }
  try {
    return JSON.parse(body);
  } catch { throw new Refusal(400, 'invalid_json', 'the body is no JSON'); }
}

function checked(body) {
  const details = [];
  const text = typeof body?.content === 'string' ? body.content : body?.content?.text;
  if (!/^\d{10,15}$/.test(body?.recipientPhone)) details.push('recipientPhone: 10 to 15 digits');
  if (!TYPES.includes(body?.messageType ?? 'text')) details.push(`messageType: one of ${TYPES.join(', ')}`);
  if (typeof text !== 'string' || text.length > 4096) details.push('content: a text of at most 4096 characters');
  if (details.length) throw new Refusal(400, 'invalid_message', details.join('; '), { details });
  const { instanceName = 'main', recipientPhone, messageType = 'text', mediaUrl, caption, metadata = {}, priority } = body;
  return { data: { instanceName, recipientPhone, messageType, content: { text, mediaUrl, caption }, metadata }, priority };
}

async function accept(list) {
  const { waiting } = await messages.metrics();
  if (waiting + list.length > settings.MAX_WAITING) throw new Refusal(429, 'queue_full', 'too many messages wait', { retryAfter: 60 });
  const ids = await messages.add(list);
  const estimatedDelay = settings.LIMIT_MAX ? Math.round((waiting * settings.LIMIT_MS) / settings.LIMIT_MAX / 1000) : 0;
  return { ids, queuePosition: waiting + 1, estimatedDelay };
}

async function health() {
  if (draining || !messages.connected) throw new Refusal(503, 'not_ready', draining ? 'draining' : 'Redis does not answer');
  await messages.redis.ping();
  if (!messages.worker.isRunning()) throw new Refusal(503, 'not_ready', 'the worker does not run');
  return { status: 'ok', redis: 'up', worker: 'up', queue: settings.QUEUE_NAME, uptime: process.uptime() };
}

async function prometheus() {
  const { waiting, active, dlq } = await messages.metrics();
  const { added, processed, failed, seconds } = messages;
  return [['waiting_messages gauge', waiting], ['active_messages gauge', active], ['dlq_messages gauge', dlq],
    ['messages_total counter', added], ['messages_processed_total counter', processed],
    ['messages_failed_total counter', failed], ['processing_duration_seconds summary', seconds, processed],
  ].map(([named, ...values]) => `# TYPE anclora_queue_${named}\n` + values.map((value, index) =>
    `anclora_queue_${named.split(' ')[0]}${values.length > 1 ? ['_sum', '_count'][index] : ''} ${value}\n`).join('')).join('');
}

const open = {
  'GET /health': health, 'GET /health/ready': health, 'GET /health/live': async () => ({ status: 'ok' }),
  'GET /metrics': prometheus, 'GET /queue/metrics': () => messages.metrics(),
};
const guarded = {
  'POST /queue/add': async (body) => {
    if (body?.test !== undefined && body.recipientPhone === undefined) {
      const messageId = await messages.addProbe();
      return { success: true, probe: true, messageId, queuePosition: 1, estimatedDelay: 0, probeUrl: `/queue/probe/${messageId}` };
    }
    const { ids, ...rest } = await accept([checked(body)]);
    return { success: true, messageId: ids[0], ...rest };
  },
  'POST /queue/bulk': async (body) => {
    const list = body?.messages ?? body;
    if (!Array.isArray(list) || !list[0] || list.length > 100) throw new Refusal(400, 'invalid_bulk', 'not a list of 1 to 100');
    const stem = `bulk-${Date.now()}-${crypto.randomBytes(3).toString('hex')}`; // two instances may share a millisecond
    const { ids, ...rest } = await accept(list.map((message, index) => ({ ...checked(message), id: `${stem}-${index}` })));
    return { success: true, messageIds: ids, ...rest };
  },
  'POST /queue/schedule': async (body) => {
    const at = new Date(body?.scheduledFor ?? body?.metadata?.scheduledFor ?? NaN).getTime();
    if (Number.isNaN(at)) throw new Refusal(400, 'invalid_schedule', 'scheduledFor: a date');
    const { ids } = await accept([{ ...checked(body), delay: Math.max(0, at - Date.now()) }]);
    return { success: true, messageId: ids[0], scheduledFor: new Date(at).toISOString() };
  },
};

async function answer(request) {
  const path = request.url.split('?')[0].replace(/^\/api(?=\/)/, '');
  const route = `${request.method} ${path}`;
  if (open[route]) return open[route]();
  const guard = guarded[route];
  const allowed = crypto.timingSafeEqual(digest(request.headers['x-api-key'] ?? ''), digest(settings.API_KEY));
  if (guard && !allowed) throw new Refusal(401, 'unauthorized', 'X-API-Key is missing or wrong');
  const body = guard && (await bodyOf(request));
  const [, probe] = path.match(/^\/queue\/probe\/(.+)/) ?? [];
  if ((guard || probe) && (draining || !messages.connected)) throw new Refusal(503, 'unavailable', 'the queue is not available');
  const found = guard ? await guard(body) : probe && (await messages.probe(probe));
  if (found) return found;
  throw new Refusal(404, 'not_found', `there is no ${route}`);
}

const server = http.createServer(async (request, response) => {
  // What is no refusal of ours: Redis refused it, or did not answer.
  const refuse = (error) => [error.status ?? 503, error.body ?? { error: 'unavailable', message: error.message }];
  const [status, body] = await answer(request).then((found) => [200, found], refuse);
  const [type, text] = typeof body === 'string' ? ['text/plain; version=0.0.4', body] : ['application/json', JSON.stringify(body)];
  if (body.retryAfter) response.setHeader('retry-after', body.retryAfter);
  if (draining) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type }).end(text);
});

async function drain(signal) {
  if (draining) return;
  draining = true;
  log('draining', { signal });
  setTimeout(() => { log('not drained in time'); process.exit(1); }, settings.DRAIN_MS);
  let alone = 0; // Redis is gone and no message is on its way: then nothing can be finished
  setInterval(() => {
    alone = messages.connected || messages.sending ? 0 : alone + 1;
    if (alone === 5) process.exit(0);
  }, 100);
  server.close();
  await messages.close();
  process.exit(0);
}

['SIGTERM', 'SIGINT'].forEach((signal) => process.on(signal, drain));
server.listen(settings.port, settings.HOST, () => log('listening', { queue: settings.QUEUE_NAME }));
