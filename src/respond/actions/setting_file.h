// One value in a settings file that other programs wrote: found and replaced with everything around it left as it is.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::respond {

enum class SettingFormat : std::uint8_t {
  kEnv,   // KEY=value lines, as systemd and docker read them; "export " before and quotes around are kept
  kJson,  // an object; the key may be a path: "redis.url"
  kText,  // the whole file is the value
};
Result<SettingFormat> parse_setting_format(std::string_view text);

// Nothing: there is no such key. kFailedPrecondition: the file is not of that format.
Result<std::optional<std::string>> read_setting(SettingFormat format, ByteView file, std::string_view key);
// Every key that the file has, in its order, each once; of a JSON object the paths of what is no object; of a text the
// one key "". kFailedPrecondition as above.
Result<std::vector<std::string>> setting_keys(SettingFormat format, ByteView file);
// The file with the value in it; a key that is not there is added. kInvalidArgument: a value that the format cannot
// hold (a line break in an env file).
Result<Bytes> with_setting(SettingFormat format, ByteView file, std::string_view key, std::string_view value);

}  // namespace anclora::respond
