#include "plan/schema/target_schema.h"

#include <algorithm>

#include "plan/schema/parameters.h"

namespace anclora::plan {
namespace {

TargetSchema redis_schema() {
  return {"redis",
          "a Redis server",
          {required(secret("url", "redis:// or rediss://, by reference when it holds a password")),
           reference("username", "user name"), secret("password", "password"),
           choice("role", {"primary", "replica", "standby"}, "what it normally is"),
           object("beacon",
                  {required(text("key", "the key that a clock is written to")),
                   duration("every", "how often (default: 1s)")},
                  "measures what was lost"),
           boolean("allow_restore", "a plan may fill this server"),
           reference("data_dir", "its data directory, where it is started by us"),
           reference("config", "its configuration file, where it is started by us"), reference("ca_file", "PEM")},
          {}};
}

TargetSchema service_schema() {
  const Parameters unit = {required(texts("units", "systemd units"))};
  const Parameters compose = {required(reference("project", "the compose file")),
                              required(texts("services", "its services"))};
  const Parameters supervisor = {reference("url", "its socket: unix:///path or http://host:port"),
                                 reference("config", "its configuration file"),
                                 required(texts("programs", "its programs"))};
  const Parameters ecs = {required(text("cluster", "cluster")), required(text("service", "service")),
                          required(text("region", "region")), text("image", "name@sha256:...")};
  return {
      "service",
      "what serves: workers, an API",
      {integer("count", "instances that normally run"), boolean("writes", "it writes to the Redis (default: true)")},
      {{"compose", compose, true, Plane::kData},
       {"ecs", ecs, false, Plane::kRegionalControl},
       {"supervisor", supervisor, true, Plane::kData},
       {"systemd", unit, true, Plane::kData}}};
}

TargetSchema configuration_schema() {
  const Parameters file = {required(reference("path", "the file")),
                           choice("format", {"env", "json", "text"}, "how it is written (default: env)")};
  const Parameters ssm = {required(text("prefix", "/path/of/parameters")), required(text("region", "region"))};
  return {"configuration",
          "where the service reads its settings",
          {},
          {{"file", file, true, Plane::kData}, {"ssm", ssm, false, Plane::kRegionalControl}}};
}

TargetSchema traffic_schema() {
  const Parameters answer = {required(reference("value", "address, name or URL"))};
  const Parameters file = {required(reference("path", "the file that is read by the balancer"))};
  const Parameters command = {required(target("command", {"command"}, "the allow-list")),
                              required(arguments("flip", "argv; {to} is the answer's value")),
                              required(arguments("show", "argv that prints the value in force"))};
  const Parameters route53 = {required(text("zone", "hosted zone id")), required(text("name", "record name"))};
  const Parameters object = {required(text("bucket", "bucket in the standby's region")),
                             required(text("object", "its name")), required(text("region", "region")),
                             required(text("name", "record name"))};
  const Parameters rfc2136 = {required(text("server", "primary name server")), required(text("zone", "zone")),
                              required(text("name", "record name")), required(secret("key", "TSIG key"))};
  const Parameters cloudflare = {required(text("zone", "zone id")), required(text("name", "record name")),
                                 required(secret("token", "API token"))};
  return {"traffic",
          "where the users are sent",
          {required(items("answers", answer, "the places they may be sent to")),
           duration("ttl", "how long an old answer is kept by others"),
           texts("resolvers", "who is asked whether it is in force")},
          {{"cloudflare", cloudflare, false, Plane::kGlobalControl},
           {"command", command, true, Plane::kData},
           {"file", file, true, Plane::kData},
           {"rfc2136", rfc2136, false, Plane::kData},
           {"route53", route53, false, Plane::kGlobalControl},
           {"s3-object", object, false, Plane::kData}}};
}

std::vector<TargetSchema> make_targets() {
  const Parameters headers = {required(reference("value", "header value"))};
  return {
      {"command",
       "programs that exec may run",
       {required(items("allow", {required(arguments("argv", "program and leading arguments that are allowed"))},
                       "allow-list")),
        texts("environment", "names of variables it is given, beside PATH, HOME and the like")},
       {}},
      configuration_schema(),
      {"database",
       "state beside Redis: what another service keeps",
       {text("engine", "what it is"), reference("url", "where it is")},
       {}},
      {"http",
       "an HTTP endpoint",
       {required(reference("url", "http:// or https://")), items("headers", headers, "sent with each request"),
        reference("resolve_to", "address to use for its name"), reference("ca_file", "PEM")},
       {}},
      {"identity", "an account, user or role", {text("account", "account"), text("role", "role or user")}, {}},
      {"network",
       "what cuts a target off",
       {text("group", "security group"), text("acl", "network ACL"), text("region", "region")},
       {}},
      {"queue",
       "a Bull or BullMQ queue",
       {required(target("redis", {"redis"}, "where it lives")), required(text("name", "queue name")),
        text("prefix", "default: bull"), target("api", {"http"}, "the service's own interface"),
        secret("api_key", "X-API-Key"), text("add_path", "default: /queue/add"),
        text("metrics_path", "default: /queue/metrics")},
       {}},
      redis_schema(),
      {"registry",
       "a container registry",
       {required(text("image", "name@sha256:...")), reference("url", "where it is"), secret("password", "token")},
       {}},
      {"repository",
       "an anclora repository",
       {required(reference("url", "a folder's path, or s3://bucket/prefix")), secret("passphrase", "its passphrase"),
        reference("passphrase_file", "a file with it"), boolean("immutable", "the store lets nobody delete")},
       {}},
      service_schema(),
      traffic_schema()};
}

std::vector<TargetSchema> make_channels() {
  const Parameter ca_file = reference("ca_file", "PEM of who signed the server's certificate (default: the system's)");
  return {{"command",
           "a program that takes the message as JSON on standard input",
           {required(arguments("argv", "program and arguments"))},
           {}},
          {"evolution",
           "WhatsApp by the Evolution API",
           {required(reference("url", "base URL")), required(text("instance", "instance")),
            required(reference("number", "number")), required(secret("api_key", "apikey")), ca_file},
           {}},
          {"pagerduty",
           "PagerDuty events",
           {required(secret("routing_key", "integration key")),
            reference("url", "endpoint (default: https://events.pagerduty.com/v2/enqueue)"), ca_file},
           {}},
          {"phone",
           "a telephone number that a person dials; nothing is sent",
           {required(text("number", "+34 600 000 000"))},
           {}},
          {"smtp",
           "e-mail",
           {required(reference("to", "address")), required(reference("server", "smtp://host:587 or smtps://host:465")),
            reference("sender", "address (default: anclora@ and this machine's name)"),
            reference("username", "user name"), secret("password", "password"),
            choice("tls", {"required", "none"}, "default: required, but for a server on this machine"), ca_file},
           {}},
          {"webhook",
           "a Slack-compatible webhook",
           {required(secret("url", "webhook URL")), secret("secret", "signs the body"),
            secret("authorization", "the header Authorization"), ca_file},
           {}}};
}

const TargetSchema* find_in(const std::vector<TargetSchema>& schemas, std::string_view kind) {
  const auto found = std::ranges::find(schemas, kind, &TargetSchema::kind);
  return found == schemas.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<TargetSchema>& target_schemas() {
  static const std::vector<TargetSchema> schemas = make_targets();
  return schemas;
}
const TargetSchema* find_target_schema(std::string_view kind) { return find_in(target_schemas(), kind); }

const DriverSchema* find_driver(const TargetSchema& schema, std::string_view driver) {
  const auto found = std::ranges::find(schema.drivers, driver, &DriverSchema::name);
  return found == schema.drivers.end() ? nullptr : &*found;
}

const std::vector<TargetSchema>& channel_schemas() {
  static const std::vector<TargetSchema> schemas = make_channels();
  return schemas;
}
const TargetSchema* find_channel_schema(std::string_view kind) { return find_in(channel_schemas(), kind); }

}  // namespace anclora::plan
