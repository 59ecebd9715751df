#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/tls_session.h"

namespace anclora {
namespace {

std::string openssl_reason() {
  std::string reason = "unknown";
  // The oldest entry is the cause; the later ones only repeat it from further out.
  if (const unsigned long code = ERR_get_error(); code != 0)
    if (const char* text = ERR_reason_error_string(code); text != nullptr) reason = text;
  ERR_clear_error();
  return reason;
}

Error unusable(const std::string& what, const std::string& file) {
  return Error(ErrorKind::kInvalidArgument, "cannot use the " + what + " " + file + ": " + openssl_reason(),
               "give a readable PEM file");
}

Status load_own_certificate(SSL_CTX& context, const TlsOptions& options) {
  if (options.certificate_file.empty() && options.key_file.empty()) return {};
  if (options.certificate_file.empty() || options.key_file.empty())
    return Error(ErrorKind::kInvalidArgument, "a TLS certificate and its key are needed together");
  if (SSL_CTX_use_certificate_chain_file(&context, options.certificate_file.c_str()) != 1)
    return unusable("TLS certificate", options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(&context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("TLS key", options.key_file);
  return {};
}

// An encrypted key must not make OpenSSL ask on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<TlsContext> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method));
  if (!context) return Error(ErrorKind::kInternal, "cannot set up TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  // Several records a system call: a stream of hundreds of MB/s comes in records of 16 KiB.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), 256 * kKiB);
  return context;
}

}  // namespace

void TlsContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> make_client_context(const TlsOptions& options) {
  ASSIGN_OR_RETURN(TlsContext context, make_context(TLS_client_method()));
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1) {
    return unusable("TLS CA file", options.ca_file);
  }
  RETURN_IF_ERROR(load_own_certificate(*context, options));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

Result<TlsContext> make_server_context(const TlsOptions& options) {
  if (options.certificate_file.empty())
    return Error(ErrorKind::kInvalidArgument, "a TLS server needs a certificate and its key");
  ASSIGN_OR_RETURN(TlsContext context, make_context(TLS_server_method()));
  RETURN_IF_ERROR(load_own_certificate(*context, options));
  SSL_CTX_set_num_tickets(context.get(), 0);
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1)
      return unusable("TLS CA file", options.ca_file);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

}  // namespace anclora
