#include "storage/store/s3_error.h"

#include <fmt/format.h>

#include <array>

#include "storage/store/object_name.h"
#include "storage/store/xml_reader.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kMaxQuoted = 300;

struct CodeMeaning {
  std::string_view code;
  ErrorKind kind;
  std::string_view hint;
};

// By the server's code first: the status alone does not tell these apart.
constexpr std::array<CodeMeaning, 21> kCodes = {{
    {"NoSuchKey", ErrorKind::kNotFound, ""},
    {"NoSuchBucket", ErrorKind::kFailedPrecondition, "create the bucket first, or correct its name or the endpoint"},
    {"SignatureDoesNotMatch", ErrorKind::kUnauthenticated,
     "the secret key does not belong to the access key: check AWS_SECRET_ACCESS_KEY or the profile"},
    {"InvalidAccessKeyId", ErrorKind::kUnauthenticated,
     "the server does not know this access key: check AWS_ACCESS_KEY_ID, the profile and the endpoint"},
    {"ExpiredToken", ErrorKind::kUnauthenticated, "the session token has expired: get new credentials"},
    {"InvalidToken", ErrorKind::kUnauthenticated, "the session token is not valid: check AWS_SESSION_TOKEN"},
    {"RequestTimeTooSkewed", ErrorKind::kFailedPrecondition,
     "set this machine's clock, for example with chronyc makestep"},
    {"RequestExpired", ErrorKind::kFailedPrecondition, "set this machine's clock, for example with chronyc makestep"},
    {"AccessDenied", ErrorKind::kPermissionDenied,
     "the credentials need s3:GetObject, s3:PutObject and s3:ListBucket here; only expire needs s3:DeleteObject"},
    {"AllAccessDisabled", ErrorKind::kPermissionDenied, ""},
    {"QuotaExceeded", ErrorKind::kResourceExhausted, "raise the quota, or free space with `anclora expire`"},
    {"EntityTooLarge", ErrorKind::kResourceExhausted, ""},
    {"InvalidRange", ErrorKind::kDataLoss, ""},
    {"BadDigest", ErrorKind::kUnavailable, "the bytes were changed on their way"},
    {"XAmzContentSHA256Mismatch", ErrorKind::kUnavailable, "the bytes were changed on their way"},
    {"IncompleteBody", ErrorKind::kUnavailable, ""},
    {"RequestTimeout", ErrorKind::kUnavailable, ""},
    {"SlowDown", ErrorKind::kUnavailable, "the server asks for fewer requests"},
    {"OperationAborted", ErrorKind::kUnavailable, ""},
    {"ConditionalRequestConflict", ErrorKind::kUnavailable, ""},
    {"NotImplemented", ErrorKind::kUnsupported, "the server lacks something that Anclora DR needs"},
}};

ErrorKind kind_of_status(int status) {
  if (status == 401) return ErrorKind::kUnauthenticated;
  if (status == 403) return ErrorKind::kPermissionDenied;
  if (status == 404) return ErrorKind::kNotFound;
  if (status == 416) return ErrorKind::kDataLoss;
  if (status == 501) return ErrorKind::kUnsupported;
  if (status == 507) return ErrorKind::kResourceExhausted;
  // A conflict, a time-out and "too many" pass; so does whatever is the server's own fault.
  if (status == 408 || status == 409 || status == 429 || status >= 500) return ErrorKind::kUnavailable;
  return ErrorKind::kFailedPrecondition;
}

std::string quoted(std::string_view text) { return printable_name(text.substr(0, kMaxQuoted)); }

struct ErrorBody {
  std::string code;
  std::string message;
  std::string region;
  std::string server_time;
};

ErrorBody read_body(const HttpResponse& response) {
  const auto root = parse_xml(response.body);
  if (!root.has_value() || root->name != "Error") return {};
  return {root->child_text("Code"), root->child_text("Message"), root->child_text("Region"),
          root->child_text("ServerTime")};
}

std::string region_of(const HttpResponse& response, const ErrorBody& body) {
  const std::string& header = response.header("x-amz-bucket-region");
  return header.empty() ? body.region : header;
}

bool is_wrong_region(const HttpResponse& response, const ErrorBody& body) {
  return (response.status >= 300 && response.status < 400) || body.code == "PermanentRedirect" ||
         (body.code == "AuthorizationHeaderMalformed" && !body.region.empty());
}

Error wrong_region(const HttpResponse& response, const ErrorBody& body, const std::string& what) {
  const std::string region = region_of(response, body);
  if (region.empty()) {
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{}: the server redirects ({}) to \"{}\"", what, response.status,
                             quoted(response.header("location"))),
                 "use the endpoint and region that the bucket is in");
  }
  return Error(ErrorKind::kFailedPrecondition, fmt::format("{}: the bucket is in the region {}", what, quoted(region)),
               fmt::format("set AWS_REGION={}, and an endpoint of that region if you set one", quoted(region)));
}

}  // namespace

std::string s3_error_code(const HttpResponse& response) { return read_body(response).code; }

Error s3_error(const HttpResponse& response, std::string_view where, std::string_view what, WallTime here) {
  const ErrorBody body = read_body(response);
  std::string text = fmt::format("{}: {}", where, what);
  if (is_wrong_region(response, body)) return wrong_region(response, body, text);
  text += fmt::format(": the server answered {}", response.status);
  if (!body.code.empty()) text += " " + quoted(body.code);
  if (!body.message.empty()) text += fmt::format(" ({})", quoted(body.message));
  for (const CodeMeaning& meaning : kCodes) {
    if (meaning.code != body.code) continue;
    if (meaning.code == "RequestTimeTooSkewed" || meaning.code == "RequestExpired") {
      const std::string server = body.server_time.empty() ? response.header("date") : body.server_time;
      text += fmt::format("; this machine's clock says {}, the server's {}", format_rfc3339(here), quoted(server));
    }
    return Error(meaning.kind, std::move(text), std::string(meaning.hint));
  }
  return Error(kind_of_status(response.status), std::move(text));
}

}  // namespace anclora::storage
