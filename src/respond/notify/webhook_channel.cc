// A Slack-compatible webhook: POST {"text": ...}. Slack, Mattermost, Rocket.Chat, and Discord's /slack address take it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/hmac.h"
#include "respond/notify/channel_settings.h"
#include "respond/notify/http_delivery.h"

namespace anclora::respond {
namespace {

class WebhookChannel final : public Channel {
 public:
  WebhookChannel(Posting posting, Secret secret, std::vector<Secret> secrets, Clock& clock)
      : posting_(std::move(posting)), secret_(std::move(secret)), secrets_(std::move(secrets)), clock_(clock) {}

  Attempt deliver(const Message& message, MonoTime deadline) override {
    Posting posting = posting_;
    posting.body = nlohmann::json({{"text", plain_text(message)}}).dump();
    if (!secret_.empty()) sign(posting);
    Attempt attempt = judge(post_json(posting, clock_, deadline), clock_.wall_now());
    attempt.detail = without_secrets(std::move(attempt.detail), secrets_);
    return attempt;
  }

 private:
  // The receiver computes the same and refuses what is old: docs/plan-file.md.
  void sign(Posting& posting) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch()).count();
    const std::string timestamp = std::to_string(seconds);
    posting.headers.emplace_back("x-anclora-timestamp", timestamp);
    posting.headers.emplace_back("x-anclora-signature",
                                 "sha256=" + to_hex(hmac_sha256(secret_.reveal(), timestamp + "." + posting.body)));
  }

  const Posting posting_;
  const Secret secret_;
  const std::vector<Secret> secrets_;
  Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_webhook_channel(ChannelSettings& settings, const ChannelMeans& means) {
  Posting posting;
  ASSIGN_OR_RETURN(posting.url, settings.required("url"));
  if (const Status fits = check_http_url(posting.url); !fits) return settings.wrong("url", fits.error().message());
  ASSIGN_OR_RETURN(posting.ca_file, settings.text("ca_file"));
  ASSIGN_OR_RETURN(const std::string authorization, settings.text("authorization"));
  if (const Status fits = check_header_value(authorization); !fits)
    return settings.wrong("authorization", fits.error().message());
  if (!authorization.empty()) posting.headers.emplace_back("authorization", authorization);
  ASSIGN_OR_RETURN(std::string secret, settings.text("secret"));
  return std::unique_ptr<Channel>(
      new WebhookChannel(std::move(posting), Secret(std::move(secret)), settings.secrets(), means.clock));
}

}  // namespace anclora::respond
