// A certificate authority for tests: PEM files in a folder, made at run time.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/socket.h"

struct evp_pkey_st;
struct x509_st;

namespace anclora {

class TlsAuthority {
 public:
  // Writes <folder>/<name>-ca.pem. Throws when OpenSSL fails.
  TlsAuthority(std::string folder, std::string name);
  ~TlsAuthority();
  TlsAuthority(const TlsAuthority&) = delete;
  TlsAuthority& operator=(const TlsAuthority&) = delete;

  const std::string& ca_file() const { return ca_file_; }
  // A certificate for `alternative_names` ("DNS:localhost,IP:127.0.0.1") that is valid until `valid_for` from now
  // (negative: expired), and its key. The answer has the certificate and the key; ca_file is left empty.
  TlsOptions issue(const std::string& file_name, const std::string& alternative_names,
                   Duration valid_for = std::chrono::hours(24)) const;

 private:
  std::string folder_;
  std::string ca_file_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

}  // namespace anclora
