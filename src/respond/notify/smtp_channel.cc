// E-mail by libcurl: smtps://, or smtp:// with STARTTLS, which is required but on this machine itself.
#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "respond/notify/channel_settings.h"
#include "respond/notify/mail.h"

namespace anclora::respond {
namespace {

struct SmtpSettings {
  std::string url;  // with our name for EHLO
  MailAddresses addresses;
  std::string username, password, ca_file;
  long use_ssl = CURLUSESSL_ALL;
};

struct Upload {
  std::string_view left;
};

std::size_t on_upload(char* out, std::size_t, std::size_t room, void* user) {
  auto& upload = *static_cast<Upload*>(user);
  const std::size_t size = std::min(room, upload.left.size());
  std::memcpy(out, upload.left.data(), size);
  upload.left.remove_prefix(size);
  return size;
}

std::size_t ignore_answer(char*, std::size_t, std::size_t size, void*) { return size; }

// Failures that another attempt meets again.
bool is_lasting(CURLcode code, long status) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return true;
    default:
      return status / 100 == 5;
  }
}

class SmtpChannel final : public Channel {
 public:
  SmtpChannel(SmtpSettings settings, std::vector<Secret> secrets, Clock& clock)
      : settings_(std::move(settings)), secrets_(std::move(secrets)), clock_(clock) {}

  Attempt deliver(const Message& message, MonoTime deadline) override {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
    if (ready != CURLE_OK || handle == nullptr) return {false, false, {}, "libcurl could not be initialised"};
    const std::string mail = make_mail(message, settings_.addresses, clock_.wall_now());
    Upload upload{mail};
    const std::string from = "<" + settings_.addresses.from + ">";
    const std::string to = "<" + settings_.addresses.to + ">";
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> receivers(curl_slist_append(nullptr, to.c_str()),
                                                                       curl_slist_free_all);
    char detail[CURL_ERROR_SIZE] = {};
    set_options(handle.get(), detail, deadline);
    curl_easy_setopt(handle.get(), CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, receivers.get());
    curl_easy_setopt(handle.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(handle.get(), CURLOPT_READDATA, &upload);
    const CURLcode code = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    return judge(code, status, detail);
  }

 private:
  void set_options(CURL* handle, char* detail, MonoTime deadline) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.mono_now()).count();
    curl_easy_setopt(handle, CURLOPT_URL, settings_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(handle, CURLOPT_USE_SSL, settings_.use_ssl);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, settings_.ca_file.c_str());
    if (settings_.username.empty()) return;
    curl_easy_setopt(handle, CURLOPT_USERNAME, settings_.username.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, settings_.password.c_str());
  }

  Attempt judge(CURLcode code, long status, const char* detail) const {
    if (code == CURLE_OK) return {true, false, {}, fmt::format("the mail server took it with {}", status)};
    std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    if (code == CURLE_USE_SSL_FAILED) why += " (the server offers no STARTTLS)";
    if (status >= 400) why += fmt::format(" (status {})", status);
    return {false, !is_lasting(code, status), {}, without_secrets(std::move(why), secrets_)};
  }

  const SmtpSettings settings_;
  const std::vector<Secret> secrets_;
  Clock& clock_;
};

std::string own_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0) return "localhost";
  std::string host(name);
  const bool plain = std::ranges::all_of(host, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return plain && !host.empty() ? host : "localhost";
}

bool is_loopback(std::string_view authority) {
  const bool v4 =
      authority.starts_with("127.") && authority.find_first_not_of("0123456789.:") == std::string_view::npos;
  return v4 || authority == "localhost" || authority.starts_with("localhost:") || authority.starts_with("[::1]");
}

Status set_server(ChannelSettings& settings, SmtpSettings& made) {
  ASSIGN_OR_RETURN(std::string server, settings.required("server"));
  while (server.ends_with('/')) server.pop_back();
  const std::size_t scheme = server.starts_with("smtps://") ? 8 : server.starts_with("smtp://") ? 7 : 0;
  const std::string_view authority = std::string_view(server).substr(scheme);
  const bool printable = std::ranges::all_of(server, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (scheme == 0 || authority.empty() || !printable || authority.find_first_of("/?#") != std::string_view::npos)
    return settings.wrong("server", "it is no mail server", "write smtp://host:587 or smtps://host:465");
  if (authority.find('@') != std::string_view::npos)
    return settings.wrong("server", "it holds a user name", "give username: and password: by reference");
  ASSIGN_OR_RETURN(const std::string tls, settings.text("tls"));
  if (tls == "none") made.use_ssl = CURLUSESSL_NONE;
  if (tls.empty() && is_loopback(authority)) made.use_ssl = CURLUSESSL_TRY;
  if (tls == "none" && !made.password.empty() && !is_loopback(authority))
    return settings.wrong("tls", "a password would be sent in the clear", "leave tls: none out");
  made.url = server + "/" + made.addresses.host;
  return {};
}

}  // namespace

Result<std::unique_ptr<Channel>> make_smtp_channel(ChannelSettings& settings, const ChannelMeans& means) {
  SmtpSettings made;
  made.addresses.host = own_name();
  ASSIGN_OR_RETURN(made.addresses.to, settings.required("to"));
  if (const Status fits = check_mail_address(made.addresses.to); !fits)
    return settings.wrong("to", fits.error().message(), fits.error().hint());
  ASSIGN_OR_RETURN(made.addresses.from, settings.text("sender", "anclora@" + made.addresses.host));
  if (const Status fits = check_mail_address(made.addresses.from); !fits)
    return settings.wrong("sender", fits.error().message(), fits.error().hint());
  ASSIGN_OR_RETURN(made.username, settings.text("username"));
  ASSIGN_OR_RETURN(made.password, settings.text("password"));
  if (made.username.empty() != made.password.empty())
    return settings.wrong(made.username.empty() ? "username" : "password", "the other of the two is given alone");
  ASSIGN_OR_RETURN(made.ca_file, settings.text("ca_file"));
  RETURN_IF_ERROR(set_server(settings, made));
  return std::unique_ptr<Channel>(new SmtpChannel(std::move(made), settings.secrets(), means.clock));
}

}  // namespace anclora::respond
