#include "base/tls_session.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/os_error.h"

namespace anclora {
namespace {

// OpenSSL's own socket BIO uses write(), which raises SIGPIPE; this one uses send() with MSG_NOSIGNAL.
int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* done) {
  BIO_clear_retry_flags(bio);
  ssize_t sent = 0;
  do {
    sent = ::send(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  *done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
  return sent > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* done) {
  BIO_clear_retry_flags(bio);
  ssize_t got = 0;
  do {
    got = ::recv(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), data, size, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  *done = got > 0 ? static_cast<std::size_t>(got) : 0;
  return got > 0 ? 1 : 0;
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    BIO_meth_set_create(method, bio_create);
    return method;
  }();
  return kMethod;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(address) != 4 && ASN1_STRING_length(address) != 16) return "?";
  ::inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text));
  return text;
}

void add_name(std::string& names, const std::string& name) {
  if (names.size() > 200) return;  // a message, not a listing
  if (!names.empty()) names += ", ";
  for (const char c : name) names += c >= 0x20 && c < 0x7f ? c : '?';
}

std::string names_of(X509* certificate) {
  std::string names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; alternatives != nullptr && i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS)
      add_name(names, std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))));
    if (name->type == GEN_IPADD) add_name(names, address_text(name->d.iPAddress));
  }
  GENERAL_NAMES_free(alternatives);
  char common_name[256] = {};
  if (names.empty() && X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name,
                                                 sizeof(common_name)) > 0)
    add_name(names, common_name);
  return names.empty() ? "no name" : names;
}

// Only notes what is found; the decision stays OpenSSL's.
int note_verdict(int accepted, X509_STORE_CTX* store) {
  const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = session != nullptr ? static_cast<TlsVerdict*>(SSL_get_app_data(session)) : nullptr;
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (accepted == 0 && verdict != nullptr) {
    verdict->code = X509_STORE_CTX_get_error(store);
    if (certificate != nullptr) verdict->names = names_of(certificate);
  }
  return accepted;
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

bool expect_name(SSL* session, const std::string& name) {
  if (is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1;
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(session, name.c_str()) == 1 && SSL_set_tlsext_host_name(session, name.c_str()) == 1;
}

// The peer's alerts that say "I do not accept your certificate".
bool is_certificate_alert(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return true;
    default:
      return false;
  }
}

Error refused_certificate(const TlsVerdict& verdict, const std::string& peer, const std::string& expected_name) {
  const std::string reason = X509_verify_cert_error_string(verdict.code);
  switch (verdict.code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Error(ErrorKind::kUnauthenticated,
                   "the certificate of " + peer + " is for " + verdict.names + ", not for " + expected_name,
                   "use a name that the certificate bears, or set the TLS server name");
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Error(ErrorKind::kUnauthenticated,
                   "the certificate of " + peer + " (" + verdict.names + ") is not valid now: " + reason,
                   "renew the certificate, or check this machine's clock");
    default:
      return Error(ErrorKind::kUnauthenticated,
                   "the certificate of " + peer + " (" + verdict.names + ") is not trusted: " + reason,
                   "give the file of the CA that signed it");
  }
}

}  // namespace

void TlsSessionDeleter::operator()(ssl_st* session) const { SSL_free(session); }

Result<TlsSession> make_session(ssl_ctx_st& context, int fd, const std::string& server_name, TlsVerdict& verdict) {
  ERR_clear_error();
  TlsSession session(SSL_new(&context));
  BIO* bio = session ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) return Error(ErrorKind::kResourceExhausted, "cannot set up a TLS session");
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number in the place of the pointer that OpenSSL keeps for us
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  SSL_set_bio(session.get(), bio, bio);
  SSL_set_app_data(session.get(), &verdict);
  SSL_set_verify(session.get(), SSL_get_verify_mode(session.get()), note_verdict);
  if (server_name.empty()) {
    SSL_set_accept_state(session.get());
    return session;
  }
  SSL_set_connect_state(session.get());
  if (!expect_name(session.get(), server_name))
    return Error(ErrorKind::kInvalidArgument, "\"" + server_name + "\" is not a name for a TLS server");
  return session;
}

Error tls_error(ssl_st& session, int answer, const TlsVerdict& verdict, const std::string& peer,
                const std::string& expected_name) {
  const int error_number = errno;
  const int kind = SSL_get_error(&session, answer);
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (verdict.code != X509_V_OK) return refused_certificate(verdict, peer, expected_name);
  const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  const std::string reason = text != nullptr ? text : "the connection was cut";
  if (is_certificate_alert(code))
    return Error(ErrorKind::kUnauthenticated, "TLS with " + peer + " failed over our or its certificate: " + reason,
                 "give a client certificate and key that the server's CA signed");
  if (kind == SSL_ERROR_SYSCALL && code == 0 && error_number != 0)
    return Error(ErrorKind::kUnavailable, "the TLS connection to " + peer + " was cut: " + os_error_text(error_number));
  return Error(ErrorKind::kUnavailable, "TLS with " + peer + " failed: " + reason);
}

}  // namespace anclora
