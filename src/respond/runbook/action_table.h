// The registry that app/ fills: action names and how each is made.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "respond/runbook/action.h"

namespace anclora::respond {

// Thread rule: add() before the first make(); make() from any thread.
class ActionTable final : public ActionRegistry {
 public:
  using Factory = std::function<Result<std::unique_ptr<Action>>()>;
  void add(std::string name, Factory factory) { factories_[std::move(name)] = std::move(factory); }
  Result<std::unique_ptr<Action>> make(std::string_view uses) override {
    const auto found = factories_.find(uses);
    if (found != factories_.end()) return found->second();
    return Error(ErrorKind::kUnsupported, "this version cannot execute " + std::string(uses),
                 "anclora plan check names all such steps");
  }

 private:
  std::map<std::string, Factory, std::less<>> factories_;
};

}  // namespace anclora::respond
