#include "base/testing/tls_authority.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace anclora {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL failed: ") + what);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr, "make a key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  require(extension != nullptr, value.c_str());
  require(X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

Certificate make_certificate(EVP_PKEY* key, const std::string& common_name, Duration valid_for) {
  static long serial = 1;
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  const long seconds = std::chrono::duration_cast<std::chrono::seconds>(valid_for).count();
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), std::min(0L, seconds) - 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate;
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_for_writing(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"), std::fclose);
  require(file != nullptr, path.c_str());
  return file;
}

}  // namespace

TlsAuthority::TlsAuthority(std::string folder, std::string name)
    : folder_(std::move(folder)), ca_file_(folder_ + "/" + name + "-ca.pem"), key_(make_key()) {
  certificate_ = make_certificate(key_.get(), name, std::chrono::hours(48));
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "sign");
  require(PEM_write_X509(open_for_writing(ca_file_).get(), certificate_.get()) == 1, "write");
}

TlsAuthority::~TlsAuthority() = default;

TlsOptions TlsAuthority::issue(const std::string& file_name, const std::string& alternative_names,
                               Duration valid_for) const {
  const Key key = make_key();
  const Certificate certificate = make_certificate(key.get(), file_name, valid_for);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name, alternative_names);
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "sign");
  TlsOptions options;
  options.certificate_file = folder_ + "/" + file_name + ".pem";
  options.key_file = folder_ + "/" + file_name + ".key";
  require(PEM_write_X509(open_for_writing(options.certificate_file).get(), certificate.get()) == 1, "write");
  require(PEM_write_PrivateKey(open_for_writing(options.key_file).get(), key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) == 1,
          "write");
  return options;
}

}  // namespace anclora
