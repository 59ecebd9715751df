#include "respond/actions/config_put.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/file_permissions.h"
#include "base/write_file.h"
#include "plan/model/value_access.h"
#include "redis/client/redis_url.h"
#include "respond/actions/redis_server.h"
#include "respond/actions/setting_file.h"
#include "respond/runbook/kept_copies.h"

namespace anclora::respond {
namespace {

// A value as a person may see it.
std::string shown(const std::optional<std::string>& value) {
  if (!value) return "not there";
  if (const auto url = redis::RedisUrl::parse(*value); url.has_value()) return url->to_string();
  return fmt::format("a value of {} bytes", value->size());
}

// Whole or not at all, also when the machine dies. Its mode and owner become those of `like`: the service that reads it
// is another user.
Status replace_setting_file(FileSystem& files, const std::string& path, ByteView bytes, const std::string& like) {
  const std::string temporary = path + ".anclora-new";
  if (auto removed = files.remove(temporary); !removed.has_value() && removed.error().kind() != ErrorKind::kNotFound)
    return removed;
  RETURN_IF_ERROR(write_file(files, temporary, bytes));
  RETURN_IF_ERROR(copy_permissions(like, temporary));
  RETURN_IF_ERROR(files.rename(temporary, path));
  return files.sync_directory(parent_folder(path));
}

// A settings file as a configuration or traffic target names it.
struct NamedFile {
  std::string path;
  SettingFormat format = SettingFormat::kText;
};
Result<NamedFile> named_file(StepContext& context, SettingFormat otherwise) {
  const plan::Target& target = context.target(plan::text_of(context.step().with, "target"));
  const std::string driver = plan::text_of(target.settings, "driver");
  if (driver != "file")
    return Error(ErrorKind::kUnsupported, fmt::format("this version has no driver \"{}\" for {}", driver, target.id),
                 "use driver: file");
  NamedFile named;
  ASSIGN_OR_RETURN(const Secret path, context.resolve(plan::text_of(target.settings, "path")));
  named.path = path.reveal();
  named.format = otherwise;
  if (const std::string format = plan::text_of(target.settings, "format"); !format.empty()) {
    ASSIGN_OR_RETURN(named.format, parse_setting_format(format));
  }
  return named;
}

std::string copy_name(StepContext& context, const std::string& path) {
  return kept_copy_path(path, context.run_id(), context.step().id);
}

// The first copy is the one from before the step: a repeated attempt must not take its own work for it.
Status keep_copy(FileSystem& files, const std::string& copy, ByteView bytes) {
  const auto there = files.stat(copy);
  if (there.has_value()) return {};
  if (there.error().kind() != ErrorKind::kNotFound) return there.error();
  return replace_setting_file(files, copy, bytes, "");  // whole or not there: half a copy would be put back by an undo
}

Result<Outcome> put_back(StepContext& context, FileSystem& files, SettingFormat otherwise) {
  const Outputs kept = context.kept();
  const auto copy = kept.find("copy");
  if (copy == kept.end()) return Outcome{"nothing was changed", {}};
  ASSIGN_OR_RETURN(const NamedFile named, named_file(context, otherwise));
  auto read = files.read_all(copy->second);
  if (!read.has_value() && read.error().kind() == ErrorKind::kNotFound)
    return Error(ErrorKind::kNotFound, copy->second + " is gone: what was before is not known any more",
                 "put the old value back by hand");
  ASSIGN_OR_RETURN(const Bytes before, std::move(read));
  RETURN_IF_ERROR(context.before_change("put back " + named.path));
  RETURN_IF_ERROR(replace_setting_file(files, named.path, before, named.path));
  return Outcome{named.path + " is as it was", {}};
}

class FileValueAction : public Action {
 public:
  FileValueAction(FileSystem& files, SettingFormat otherwise) : files_(files), otherwise_(otherwise) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const NamedFile named, named_file(context, otherwise_));
    ASSIGN_OR_RETURN(const Secret wanted, value(context));
    ASSIGN_OR_RETURN(const auto current, read(context, named));
    Observation seen;
    seen.done = current == wanted.reveal() ? Done::kYes : Done::kNo;
    seen.current = shown(current);
    seen.desired = shown(wanted.reveal());
    seen.call = fmt::format("write {}{} to {}", key(context), key(context).empty() ? "the value" : "", named.path);
    if (seen.done == Done::kYes) seen.outputs = outputs(context, false);
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const NamedFile named, named_file(context, otherwise_));
    ASSIGN_OR_RETURN(const Secret wanted, value(context));
    ASSIGN_OR_RETURN(const Bytes file, files_.read_all(named.path));
    ASSIGN_OR_RETURN(const Bytes changed, with_setting(named.format, file, key(context), wanted.reveal()));
    if (changed == file) return Outcome{named.path + " says so already", outputs(context, false)};
    const std::string copy = copy_name(context, named.path);
    RETURN_IF_ERROR(keep_copy(files_, copy, file));
    RETURN_IF_ERROR(context.keep("copy", copy));
    RETURN_IF_ERROR(context.before_change("write " + named.path));
    RETURN_IF_ERROR(replace_setting_file(files_, named.path, changed, named.path));
    return Outcome{fmt::format("{} now has {}", named.path, shown(wanted.reveal())), outputs(context, true)};
  }

  Status verify(StepContext& context) override {
    ASSIGN_OR_RETURN(const Observation seen, probe(context));
    if (seen.done == Done::kYes) return {};
    return Error(ErrorKind::kFailedPrecondition, fmt::format("the file has {}, not {}", seen.current, seen.desired),
                 "somebody else writes this file too");
  }

  Result<Outcome> undo(StepContext& context) override { return put_back(context, files_, otherwise_); }

 protected:
  virtual Result<Secret> value(StepContext& context) = 0;
  virtual std::string key(StepContext& context) = 0;
  virtual Outputs outputs(StepContext& context, bool changed) = 0;
  FileSystem& files() { return files_; }

 private:
  Result<std::optional<std::string>> read(StepContext& context, const NamedFile& named) {
    ASSIGN_OR_RETURN(const Bytes file, files_.read_all(named.path));
    return read_setting(named.format, file, key(context));
  }

  FileSystem& files_;
  SettingFormat otherwise_;
};

class ConfigPut final : public FileValueAction {
 public:
  explicit ConfigPut(FileSystem& files) : FileValueAction(files, SettingFormat::kEnv) {}

 private:
  // `value`, or what the first step in `from` that ran left; a Redis's url with its password, from the plan's target.
  Result<Secret> value(StepContext& context) override {
    const plan::Value& with = context.step().with;
    if (const std::string literal = plan::text_of(with, "value"); !literal.empty()) return context.resolve(literal);
    const std::string wanted = plan::text_of(with, "output", "url");
    for (const std::string& step : plan::texts_of(with, "from")) {
      const auto left = context.outputs_of(step);
      if (!left.has_value()) continue;
      if (const auto target = left->find("target"); target != left->end() && wanted == "url")
        return url_of(context, context.target(target->second));
      if (const auto found = left->find(wanted); found != left->end()) return Secret(found->second);
    }
    return Error(ErrorKind::kFailedPrecondition, "no value: none of the steps in \"from\" left one",
                 "do one of those steps, or give \"value\"");
  }
  // A url without the password that stands beside it would cut the service off from its new server.
  static Result<Secret> url_of(StepContext& context, const plan::Target& target) {
    if (target.settings.find("password") != nullptr || target.settings.find("username") != nullptr)
      return Error(ErrorKind::kUnsupported,
                   fmt::format("the url of {} lacks the user and password that stand beside it", target.id),
                   "put them into the url that the plan refers to, or give the whole \"value\"");
    return context.resolve(plan::text_of(target.settings, "url"));
  }
  std::string key(StepContext& context) override { return plan::text_of(context.step().with, "key"); }
  Outputs outputs(StepContext& context, bool changed) override {
    return {{"key", key(context)}, {"changed", changed ? "yes" : "no"}};
  }
};

// The values of a kept copy, brought back key by key; what the file has beyond the copy is left as it is.
class ConfigRestore final : public Action {
 public:
  explicit ConfigRestore(FileSystem& files) : files_(files) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const Difference difference, compare(context));
    Observation seen;
    seen.done = difference.changed.empty() ? Done::kYes : Done::kNo;
    seen.current = difference.said;
    seen.desired = "as in the copy";
    seen.call = fmt::format("write {} to {}", fmt::join(difference.changed, ", "), difference.named.path);
    if (seen.done == Done::kYes) seen.outputs = {{"changed", "0"}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const Difference difference, compare(context));
    context.note(difference.said);
    if (difference.changed.empty()) return Outcome{difference.said, {{"changed", "0"}}};
    const std::string copy = copy_name(context, difference.named.path);
    RETURN_IF_ERROR(keep_copy(files_, copy, difference.before));
    RETURN_IF_ERROR(context.keep("copy", copy));
    RETURN_IF_ERROR(context.before_change("write " + difference.named.path));
    RETURN_IF_ERROR(replace_setting_file(files_, difference.named.path, difference.after, difference.named.path));
    return Outcome{difference.said, {{"changed", std::to_string(difference.changed.size())}}};
  }

  Status verify(StepContext& context) override {
    ASSIGN_OR_RETURN(const Difference difference, compare(context));
    if (difference.changed.empty()) return {};
    return Error(ErrorKind::kFailedPrecondition, "the file differs from the copy: " + difference.said,
                 "somebody else writes this file too");
  }

  Result<Outcome> undo(StepContext& context) override { return put_back(context, files_, SettingFormat::kEnv); }

 private:
  struct Difference {
    NamedFile named;
    Bytes before, after;
    std::vector<std::string> changed;
    std::string said;  // names, never values
  };
  Result<Difference> compare(StepContext& context) {
    Difference found;
    ASSIGN_OR_RETURN(found.named, named_file(context, SettingFormat::kEnv));
    ASSIGN_OR_RETURN(const Secret from, context.resolve(plan::text_of(context.step().with, "from")));
    ASSIGN_OR_RETURN(const Bytes copy, files_.read_all(from.reveal()));
    ASSIGN_OR_RETURN(found.before, files_.read_all(found.named.path));
    const SettingFormat format = found.named.format;
    std::vector<std::string> keys = plan::texts_of(context.step().with, "only");
    if (keys.empty()) {
      ASSIGN_OR_RETURN(keys, setting_keys(format, copy));
    }
    found.after = found.before;
    std::vector<std::string> lines;
    for (const std::string& key : keys) {
      ASSIGN_OR_RETURN(const auto kept, read_setting(format, copy, key));
      if (!kept) return Error(ErrorKind::kNotFound, fmt::format("the copy {} has no {}", from.reveal(), key));
      ASSIGN_OR_RETURN(const auto now, read_setting(format, found.before, key));
      if (now == kept) continue;
      ASSIGN_OR_RETURN(found.after, with_setting(format, found.after, key, *kept));
      found.changed.push_back(key);
      lines.push_back(fmt::format("{}: {} -> {}", key, shown(now), shown(kept)));
    }
    found.said = lines.empty() ? found.named.path + " is as in the copy" : fmt::format("{}", fmt::join(lines, "; "));
    return found;
  }

  FileSystem& files_;
};

class TrafficFlip : public FileValueAction {
 public:
  explicit TrafficFlip(FileSystem& files) : FileValueAction(files, SettingFormat::kText) {}

 private:
  Result<Secret> value(StepContext& context) override {
    const std::string to = plan::text_of(context.step().with, "to");
    const plan::Target& target = context.target(plan::text_of(context.step().with, "target"));
    for (const plan::Value* answer : plan::maps_of(target.settings, "answers"))
      if (plan::text_of(*answer, "id") == to) return context.resolve(plan::text_of(*answer, "value"));
    return Error(ErrorKind::kInvalidArgument, fmt::format("{} has no answer \"{}\"", target.id, to),
                 "name one of its answers");
  }
  std::string key(StepContext&) override { return {}; }
  Outputs outputs(StepContext& context, bool) override { return {{"to", plan::text_of(context.step().with, "to")}}; }
};

class TrafficVerify final : public TrafficFlip {
 public:
  using TrafficFlip::TrafficFlip;
  Result<Outcome> execute(StepContext& context) override {
    RETURN_IF_ERROR(verify(context));
    return Outcome{"the users are sent to " + plan::text_of(context.step().with, "to"), {}};
  }
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }
};

}  // namespace

std::unique_ptr<Action> make_config_put(FileSystem& files) { return std::make_unique<ConfigPut>(files); }
std::unique_ptr<Action> make_config_restore(FileSystem& files) { return std::make_unique<ConfigRestore>(files); }
std::unique_ptr<Action> make_traffic_flip(FileSystem& files) { return std::make_unique<TrafficFlip>(files); }
std::unique_ptr<Action> make_traffic_verify(FileSystem& files) { return std::make_unique<TrafficVerify>(files); }

}  // namespace anclora::respond
