// What one host asks of another: requests take their time, get lost, arrive twice; answers get lost; hosts die in between.
#pragma once

#include <boost/asio/co_spawn.hpp>

#include "adapters/simulated/simulation.hpp"
#include "base/await_callback.hpp"
#include "base/context.hpp"
#include "base/result.hpp"

namespace shop::simulated {

// Per mille of calls.
struct NetworkWeather {
  unsigned refused = 0;         // nothing was sent
  unsigned request_lost = 0;    // the caller waits until its deadline
  unsigned answer_lost = 0;     // likewise, but the work is done
  unsigned reset = 0;           // the connection breaks after the request was sent, the work is done
  unsigned twice = 0;           // the request arrives a second time, later
  unsigned slow = 0;            // takes up to `slow_most` instead of `usual_most`
  milliseconds usual_most{3};
  milliseconds slow_most{4000};
};

class Network {
 public:
  explicit Network(Simulation& simulation) : simulation_(simulation) {}

  NetworkWeather weather;
  std::function<bool()> clear = [] { return false; };  // true: nothing goes wrong, for whoever may not be disturbed now

  template <class T>
  using Remote = std::function<Task<Result<T>>(const Context&)>;

  // Runs `remote` on the host `to`. Errors as a ServiceCaller's: unavailable (nothing was sent), timed_out and unknown_outcome
  // (it may have been done). What `remote` refers to must live as long as that host. `repeatable`: it may arrive twice.
  template <class T>
  Task<Result<T>> call(HostId from, HostId to, Context context, Remote<T> remote, bool repeatable = false) {
    if (from == to) co_return co_await remote(context);
    co_return co_await await_callback<Result<T>>([&](Callback<Result<T>> done) {
      auto call = std::make_shared<Call<T>>();
      call->from = from;
      call->to = to;
      call->context = context;
      call->repeatable = repeatable;
      call->remote = std::move(remote);
      call->done = std::move(done);
      begin(std::move(call));
    });
  }

  // Before a host is destroyed: nobody there waits for an answer any more, and those who asked it see the connection break.
  void forget(HostId host);

 private:
  struct AnyCall {
    virtual ~AnyCall() = default;
    virtual void run(Network& network, std::uint64_t id, bool answers, std::shared_ptr<AnyCall> self) = 0;
    virtual void fail_with(Error error) = 0;
    virtual void drop() = 0;  // what waits belongs to its host, whoever else still holds this
    HostId from = nobody, to = nobody;
    Context context;
    bool answer_lost = false, repeatable = false;
  };

  template <class T>
  struct Call final : AnyCall {
    Remote<T> remote;
    Callback<Result<T>> done;
    void complete(Result<T> result) { std::exchange(done, {})(std::move(result)); }
    void fail_with(Error error) override { complete(fail(std::move(error))); }
    void drop() override { done = {}; }

    void run(Network& network, std::uint64_t id, bool answers, std::shared_ptr<AnyCall> self) override {
      boost::asio::co_spawn(network.simulation_.loop(to), remote(context),
                            [&network, id, answers, kept = std::move(self)](std::exception_ptr thrown, Result<T> result) {
                              if (thrown) std::rethrow_exception(thrown);
                              if (answers) network.answered<T>(id, std::move(result));
                            });
    }
  };

  template <class T>
  void answered(std::uint64_t id, Result<T> result) {
    const auto it = calls_.find(id);
    if (it == calls_.end() || it->second->answer_lost) return;
    simulation_.after(delay(), nobody, [this, id, result = std::move(result)]() mutable {
      if (auto call = take(id)) static_cast<Call<T>&>(*call).complete(std::move(result));
    });
  }

  void begin(std::shared_ptr<AnyCall> call);
  void deliver(std::uint64_t id);
  void fail_later(std::uint64_t id, milliseconds delay, Error error);
  std::shared_ptr<AnyCall> take(std::uint64_t id);
  milliseconds delay();

  Simulation& simulation_;
  std::map<std::uint64_t, std::shared_ptr<AnyCall>> calls_;  // that somebody waits for
  std::uint64_t last_ = 0;
};

}  // namespace shop::simulated
