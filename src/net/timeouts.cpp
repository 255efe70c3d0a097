#include "net/timeouts.hpp"

namespace shop::net {

namespace asio = boost::asio;

Watch::Watch(asio::io_context& context, std::move_only_function<void()> expire)
    : owner_(asio::use_service<Timeouts>(context)), index_(owner_.watches_.size()), expire_(std::move(expire)) {
  owner_.watches_.push_back(this);
  owner_.schedule();
}

Watch::~Watch() {
  if (owner_.stopped_) return;
  owner_.watches_[index_] = owner_.watches_.back();
  owner_.watches_[index_]->index_ = index_;
  owner_.watches_.pop_back();
}

Timeouts::Timeouts(asio::execution_context& context)
    : service(context), timer_(static_cast<asio::io_context&>(context)) {}

void Timeouts::shutdown() {
  stopped_ = true;
  watches_.clear();
}

void Timeouts::schedule() {
  if (scheduled_ || stopped_) return;
  scheduled_ = true;
  timer_.expires_after(tick);
  timer_.async_wait([this](boost::system::error_code error) {
    scheduled_ = false;
    if (error || stopped_) return;
    look();
    if (!watches_.empty()) schedule();
  });
}

void Timeouts::look() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    auto& watch = *watches_[i];
    if (watch.at_ > now) continue;
    watch.at_ = Monotonic::max();
    watch.expired_ = true;
    watch.expire_();
  }
}

}  // namespace shop::net
