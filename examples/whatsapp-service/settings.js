'use strict';
// Settings: defaults, then the environment, then CONFIG_FILE (lines KEY=VALUE, or one JSON object), which is read at the
// start only, as a container does with a parameter store: a changed Redis URL takes effect with a restart.
const fs = require('fs');

const DEFAULTS = {
  HOST: '127.0.0.1', PORT: '3000',
  INSTANCE: '0', // added to PORT: so a supervisor starts several instances from one section
  REDIS_URL: 'redis://127.0.0.1:6379', QUEUE_NAME: 'whatsapp-messages', QUEUE_PREFIX: 'bull',
  PROVIDER_URL: 'http://127.0.0.1:8080/message', PROVIDER_TIMEOUT_MS: '10000',
  API_KEY_FILE: '', CONCURRENCY: '5',
  LIMIT_MAX: '80', LIMIT_MS: '60000', // LIMIT_MAX messages per LIMIT_MS over all instances; 0: no limit
  LOCK_MS: '30000', STALLED_MS: '30000', // a job whose worker died is taken again after LOCK_MS, at the next check
  MAX_WAITING: '100000', DRAIN_MS: '10000', // beyond MAX_WAITING new messages are answered 429
};

const parse = (text) => (text.trimStart().startsWith('{') ? JSON.parse(text)
  : Object.fromEntries([...text.matchAll(/^[ \t]*([A-Z_]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$/gm)].map((match) => match.slice(1))));

function read(environment) {
  const fromFile = environment.CONFIG_FILE ? parse(fs.readFileSync(environment.CONFIG_FILE, 'utf8')) : {};
  const settings = { API_KEY: environment.API_KEY };
  for (const [name, value] of Object.entries(DEFAULTS)) {
    settings[name] = String(fromFile[name] ?? environment[name] ?? value);
    if (!/^\d+$/.test(value)) continue; // a text
    settings[name] = Number(settings[name]);
    if (!Number.isSafeInteger(settings[name])) throw new Error(`${name} is not a whole number`);
  }
  if (settings.API_KEY_FILE) settings.API_KEY = fs.readFileSync(settings.API_KEY_FILE, 'utf8').trim();
  if (!settings.API_KEY) throw new Error('neither API_KEY nor API_KEY_FILE is set');
  settings.port = settings.PORT + settings.INSTANCE;
  return settings;
}

module.exports = { read };
