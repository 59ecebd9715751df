#include "app/cli/error_report.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/json_text.h"
#include "base/output_buffer.h"

namespace anclora::app {
namespace {

// As docs/exit-codes.md says it.
std::string_view next_step(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "see what it takes: anclora COMMAND --help";
    case ErrorKind::kNotFound:
      return "check the path or the name; what a repository holds: anclora status, anclora history";
    case ErrorKind::kAlreadyExists:
      return "choose another name";
    case ErrorKind::kFailedPrecondition:
      return "mend that first, then repeat the command";
    case ErrorKind::kPermissionDenied:
      return "grant it, then repeat the command";
    case ErrorKind::kUnauthenticated:
      return "correct the password, passphrase or key, then repeat the command";
    case ErrorKind::kUnavailable:
      return "check the address, the network and that it is running there, then repeat the command";
    case ErrorKind::kDeadlineExceeded:
      return "check the address, the network and whether TLS is spoken there; what was asked may have happened: look, "
             "then repeat the command";
    case ErrorKind::kResourceExhausted:
      return "make room or raise the limit, then repeat the command";
    case ErrorKind::kFenced:
      return "leave the other capture alone, or stop it first";
    case ErrorKind::kDataLoss:
      return "see what is damaged: anclora verify; a mirror or another moment may be whole";
    case ErrorKind::kUnsupported:
      return "install the version that the message names";
    case ErrorKind::kIo:
      return "check the disk and the kernel log, then repeat the command";
    case ErrorKind::kCancelled:
      return "start it again";
    case ErrorKind::kInternal:
      break;
  }
  return "this is a fault of anclora: report it with this line";
}

std::string hint_of(const CommandContext& context, const Error& error) {
  if (error.hint().empty()) return std::string(next_step(error.kind()));
  return CopiedCommands(context).complete(error.hint());
}

}  // namespace

int print_error(const CommandContext& context, const Error& error) {
  context.err << "anclora: " << error.message() << "\nhint: " << hint_of(context, error) << "\n";
  return exit_code(error.kind());
}

int print_failure(const CommandContext& context, const Error& error) {
  if (context.options.json) {
    const nlohmann::ordered_json json = {{"error",
                                          {{"kind", to_string(error.kind())},
                                           {"message", error.message()},
                                           {"hint", hint_of(context, error)},
                                           {"exit_code", exit_code(error.kind())}}}};
    context.out << json_text(json);
  }
  return print_error(context, error);
}

int end_of_output(const CommandContext& context, int code) {
  const Status told = printed(context.out);
  if (told) return code;
  const int failed = print_error(
      context, told.error().with_hint("what was done is done, but not told: mend that, then look with a command that "
                                      "only reads"));
  return code == 0 ? failed : code;
}

}  // namespace anclora::app
