#include "storage/store/sigv4.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>

#include "base/hmac.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

void wipe(Bytes& bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

// Trims, and makes one space of each run of white space.
std::string canonical_value(std::string_view value) {
  std::string out;
  bool gap = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      gap = !out.empty();
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

// "20261124T123456Z": the basic ISO 8601 form.
std::string amz_date(WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

Bytes signing_key(const Secret& secret, std::string_view day, std::string_view region, std::string_view service) {
  Bytes key = "AWS4" + secret.reveal();
  for (const std::string_view part : {day, region, service, std::string_view("aws4_request")}) {
    Bytes next = hmac_sha256(key, part);
    wipe(key);
    key = std::move(next);
  }
  return key;
}

struct CanonicalHeaders {
  std::string lines;         // "host:example\n..."
  std::string signed_names;  // "host;x-amz-date"
};

CanonicalHeaders canonical_headers(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : headers) {
    auto [at, fresh] = sorted.try_emplace(lower_case(name), canonical_value(value));
    if (!fresh) at->second += "," + canonical_value(value);
  }
  CanonicalHeaders out;
  for (const auto& [name, value] : sorted) {
    out.lines += name + ":" + value + "\n";
    out.signed_names += (out.signed_names.empty() ? "" : ";") + name;
  }
  return out;
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string canonical_query(std::vector<std::pair<std::string, std::string>> query) {
  for (auto& [name, value] : query) {
    name = uri_encode(name, false);
    value = uri_encode(value, false);
  }
  std::ranges::sort(query);
  std::string out;
  for (const auto& [name, value] : query) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::vector<std::pair<std::string, std::string>> sigv4_headers(const SigV4Request& request,
                                                               const AwsCredentials& credentials,
                                                               std::string_view region, std::string_view service,
                                                               WallTime now) {
  const std::string date = amz_date(now);
  const std::string_view day = std::string_view(date).substr(0, 8);
  std::vector<std::pair<std::string, std::string>> added = {{"x-amz-date", date},
                                                            {"x-amz-content-sha256", request.payload_sha256_hex}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token.reveal());
  }
  auto headers = request.headers;
  headers.insert(headers.end(), added.begin(), added.end());
  const CanonicalHeaders canonical = canonical_headers(headers);
  const std::string canonical_request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, uri_encode(request.path, true),
                  canonical_query(request.query), canonical.lines, canonical.signed_names, request.payload_sha256_hex);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope, to_hex(ByteView(sha256(canonical_request))));
  Bytes key = signing_key(credentials.secret_access_key, day, region, service);
  const std::string signature = to_hex(ByteView(hmac_sha256(key, to_sign)));
  wipe(key);
  added.emplace_back("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                                  credentials.access_key_id, scope, canonical.signed_names, signature));
  return added;
}

struct Digest::Context {
  EVP_MD_CTX* raw = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(raw); }
};

Digest::Digest(Algorithm algorithm) : context_(std::make_unique<Context>()) {
  EVP_DigestInit_ex(context_->raw, algorithm == Algorithm::kSha256 ? EVP_sha256() : EVP_md5(), nullptr);
}
Digest::~Digest() = default;

void Digest::update(ByteView bytes) { EVP_DigestUpdate(context_->raw, bytes.data(), bytes.size()); }

Bytes Digest::finish() {
  Bytes out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->raw, reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(size);
  return out;
}

Bytes sha256(ByteView bytes) {
  Digest digest(Digest::Algorithm::kSha256);
  digest.update(bytes);
  return digest.finish();
}

std::string base64(ByteView bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace anclora::storage
