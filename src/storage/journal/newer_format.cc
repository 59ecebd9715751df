#include "storage/journal/newer_format.h"

#include <utility>

namespace anclora::storage {

Error newer_format(std::string message) {
  return Error(ErrorKind::kUnsupported, std::move(message),
               "install a newer release of anclora (at least the one that wrote this repository)");
}

Error newer_version(std::string_view what, std::uint64_t version, std::uint64_t known) {
  return newer_format(std::string(what) + ": written in format version " + std::to_string(version) +
                      ", this program reads up to " + std::to_string(known));
}

}  // namespace anclora::storage
