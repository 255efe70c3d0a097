// A TCP proxy between an adapter and its component, which fails on command: refuses, swallows, cuts.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "contract/support.hpp"

namespace shop::contract {

class CuttingProxy {
 public:
  explicit CuttingProxy(Address target);
  ~CuttingProxy();

  Address address() const { return {"127.0.0.1", port_}; }

  void refuse(bool on) { refusing_ = on; }  // new connections are closed at once
  void swallow(bool on) { silent_ = on; }   // bytes from the client go nowhere
  void cut_all();                           // every connection that is open

  // Once: the next connection whose client sends these bytes is cut, with or without passing them on. The reply is lost.
  void cut_at(std::string bytes, bool passed_on);
  bool has_cut() const { return cut_; }
  std::size_t accepted() const { return accepted_; }

 private:
  struct Pair {
    int client = -1, server = -1;
    std::atomic<bool> closing{false};
    std::thread thread;
  };

  void listen_and_accept();
  void carry(Pair& pair);
  bool from_client(Pair& pair, std::string_view bytes);

  const Address target_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false}, refusing_{false}, silent_{false}, cut_{false};
  std::atomic<std::size_t> accepted_{0};
  std::mutex mutex_;
  std::string needle_;
  bool pass_on_ = false;
  std::list<Pair> pairs_;
  std::thread thread_;
};

}  // namespace shop::contract
