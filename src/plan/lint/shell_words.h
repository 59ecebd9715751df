// Words that give a shell, a placeholder or a secret away, wherever they stand in a plan.
#pragma once

#include <string>
#include <string_view>

#include "plan/value.h"

namespace anclora::plan {

// argv whose program is a shell (or env, sudo before one), or that carries pipes and substitutions for one.
bool runs_a_shell(const Value& argv);
// An allow-list's leading arguments that leave the program open: they end with what runs others (sudo, xargs), or with
// an interpreter and its options ("python3", "perl -e").
bool allows_any_program(const Value& argv);
// XXX, [Name], <name>, TBD, TODO, ... : nobody filled it in.
bool is_placeholder(std::string_view text);
// A key, token or password by its shape: AKIA..., ghp_..., xoxb-..., a PEM private key, a URL with a password.
bool looks_like_secret(std::string_view text);

// Of "name@host" or "https://host/path": the host in lower case, "" when there is none.
std::string host_of(std::string_view text);
// example.com and the like, .test, .invalid, .local, .example: reserved, so that nobody is behind it.
bool is_reserved_domain(std::string_view host);
// False for a last label that is no top-level domain that we know; two letters are always believed.
bool has_known_tld(std::string_view host);
bool looks_like_email(std::string_view text);

}  // namespace anclora::plan
