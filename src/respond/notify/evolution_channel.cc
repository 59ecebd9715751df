// WhatsApp by the Evolution API: POST {base}/message/sendText/{instance} with the header `apikey`. Version 2 takes
// {number, text}; some 2.x servers still want version 1's {number, textMessage: {text}} and say so.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/notify/channel_settings.h"
#include "respond/notify/http_delivery.h"

namespace anclora::respond {
namespace {

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

bool says_number_is_unknown(const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("response") || !json["response"].is_object()) return false;
  const auto message = json["response"].find("message");
  if (message == json["response"].end() || !message->is_array() || message->empty()) return false;
  const nlohmann::json& first = message->front();
  return first.is_object() && first.contains("exists") && first["exists"] == false;
}

class EvolutionChannel final : public Channel {
 public:
  EvolutionChannel(Posting posting, std::string number, std::vector<Secret> secrets, Clock& clock)
      : posting_(std::move(posting)), number_(std::move(number)), secrets_(std::move(secrets)), clock_(clock) {}

  Attempt deliver(const Message& message, MonoTime deadline) override {
    Posting posting = posting_;
    const std::string text = plain_text(message);
    posting.body = nlohmann::json({{"number", number_}, {"text", text}}).dump();
    Posted posted = post_json(posting, clock_, deadline);
    const bool wants_version_1 =
        (posted.status == 400 || posted.status == 500) && posted.body.find("textMessage") != std::string::npos;
    if (wants_version_1) {
      posting.body = nlohmann::json({{"number", number_}, {"textMessage", {{"text", text}}}}).dump();
      posted = post_json(posting, clock_, deadline);
    }
    Attempt attempt = judge(posted, clock_.wall_now());
    explain(posted, attempt);
    attempt.detail = without_secrets(std::move(attempt.detail), secrets_);
    return attempt;
  }

 private:
  static void explain(const Posted& posted, Attempt& attempt) {
    if (attempt.accepted) attempt.detail = "handed to WhatsApp; whether it was delivered is not known here";
    if (posted.status == 401 || posted.status == 403) attempt.detail += ": the apikey is refused";
    if (posted.status == 404) attempt.detail += ": there is no such instance";
    if (posted.status != 400) return;
    if (says_number_is_unknown(posted.body)) {
      attempt.detail += ": the number has no WhatsApp";
      return;
    }
    // Anything that fails while it sends is a 400 there, also when the message went out. An alarm that comes twice is
    // better than one that does not come.
    attempt.retry = true;
    attempt.detail += ": it failed while it sent, and may have been delivered";
  }

  const Posting posting_;
  const std::string number_;
  const std::vector<Secret> secrets_;
  Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_evolution_channel(ChannelSettings& settings, const ChannelMeans& means) {
  ASSIGN_OR_RETURN(std::string base, settings.required("url"));
  if (const Status fits = check_http_url(base); !fits) return settings.wrong("url", fits.error().message());
  while (base.ends_with('/')) base.pop_back();
  ASSIGN_OR_RETURN(const std::string instance, settings.required("instance"));
  ASSIGN_OR_RETURN(const std::string api_key, settings.required("api_key"));
  if (const Status fits = check_header_value(api_key); !fits) return settings.wrong("api_key", fits.error().message());
  ASSIGN_OR_RETURN(std::string number, settings.required("number"));
  std::erase_if(number, [](char c) { return c == '+' || c == ' ' || c == '-' || c == '(' || c == ')'; });
  if (number.size() < 7 || number.size() > 15 ||
      !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }))
    return settings.wrong("number", "it is no telephone number", "write it with its country: +34 600 000 000");
  Posting posting;
  posting.url = base + "/message/sendText/" + percent_encoded(instance);
  posting.headers.emplace_back("apikey", api_key);
  ASSIGN_OR_RETURN(posting.ca_file, settings.text("ca_file"));
  return std::unique_ptr<Channel>(
      new EvolutionChannel(std::move(posting), std::move(number), settings.secrets(), means.clock));
}

}  // namespace anclora::respond
