#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 1:1
%% The same bursts to an Erlang process, on one scheduler: one that only receives, or a gen_server under a supervisor. Speaks the lines of round-lines.ts.
%% Each so many of a burst carries the moment at which the burst was due and is timed when it is taken; the others cost nothing more.
%% Usage: erlang_rounds.escript process|gen_server BURST TIMED_EVERY ROUND_MS WARMUP_MS
-mode(compile).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, start_link/0]).

main([Kind, BurstText, EveryText, RoundText, WarmupText]) ->
    Every = list_to_integer(EveryText),
    Burst = {list_to_integer(BurstText) div Every, Every},
    Doors = start(list_to_atom(Kind)),
    {Warm, _, _} = sample(Doors, Burst, list_to_integer(WarmupText), 0),
    say("{\"say\":\"ready\"}", []),
    serve(Doors, Burst, list_to_integer(RoundText), Warm, []).

serve({_, _, Count} = Doors, Burst, RoundMs, Sent, AllTimes) ->
    case io:get_line("") of
        "{\"say\":\"round\"}" ++ _ ->
            {Total, ElapsedUs, Times} = sample(Doors, Burst, RoundMs, Sent),
            say("{\"say\":\"round\",\"work\":~b,\"elapsedMs\":~.3f,\"p50Ms\":~.6f,\"p99Ms\":~.6f}",
                [Total - Sent, ElapsedUs / 1000, quantile_ms(Times, 0.5), quantile_ms(Times, 0.99)]),
            serve(Doors, Burst, RoundMs, Total, Times ++ AllTimes);
        _ ->
            {Sent, []} = Count(),
            say("{\"say\":\"finished\",\"rssMiB\":~.1f,\"p999Ms\":~.6f}", [resident_mib(), quantile_ms(AllTimes, 0.999)])
    end.

%% Bursts until the time is over; each is counted at the receiver before the next.
sample(Doors, Burst, ForMs, Sent) ->
    Start = erlang:monotonic_time(microsecond),
    {Total, Times} = bursts(Doors, Burst, Start + ForMs * 1000, Sent, []),
    {Total, erlang:monotonic_time(microsecond) - Start, lists:append(Times)}.

bursts({Send, SendTimed, Count} = Doors, {Stretches, Every} = Burst, End, Sent, Times) ->
    Due = erlang:monotonic_time(nanosecond),
    stretches(Send, fun() -> SendTimed(Due) end, Stretches, Every),
    Total = Sent + Stretches * Every,
    {Total, New} = Count(),
    case erlang:monotonic_time(microsecond) < End of
        true -> bursts(Doors, Burst, End, Total, [New | Times]);
        false -> {Total, [New | Times]}
    end.

stretches(_, _, 0, _) -> ok;
stretches(Send, SendTimed, Left, Every) ->
    send(Send, Every - 1),
    SendTimed(),
    stretches(Send, SendTimed, Left - 1, Every).

send(_, 0) -> ok;
send(Send, Left) -> Send(), send(Send, Left - 1).

%% As in _helpers.ts; of nanoseconds.
quantile_ms(Times, Share) -> lists:nth(max(1, ceil(Share * length(Times))), lists:sort(Times)) / 1.0e6.

%% What the receiver notes is kept beside its state, which is as large as without it.
note(Due) -> put(times, [erlang:monotonic_time(nanosecond) - Due | noted()]).

noted() ->
    case get(times) of
        undefined -> [];
        Times -> Times
    end.

take_noted() ->
    Times = noted(),
    erase(times),
    Times.

start(process) ->
    Pid = spawn_link(fun() -> receiver(#{total => 0}) end),
    {fun() -> Pid ! go end, fun(Due) -> Pid ! {go, Due} end, fun() -> Pid ! {count, self()}, receive {total, Total, Times} -> {Total, Times} end end};
start(gen_server) ->
    Flags = #{strategy => one_for_one},
    {ok, Supervisor} = supervisor:start_link(?MODULE, {supervisor, Flags, [#{id => receiver, start => {?MODULE, start_link, []}}]}),
    [{receiver, Pid, _, _}] = supervisor:which_children(Supervisor),
    {fun() -> gen_server:cast(Pid, go) end, fun(Due) -> gen_server:cast(Pid, {go, Due}) end, fun() -> gen_server:call(Pid, count, infinity) end}.

receiver(#{total := Total} = State) ->
    receive
        go -> receiver(State#{total := Total + 1});
        {go, Due} -> note(Due), receiver(State#{total := Total + 1});
        {count, From} -> From ! {total, Total, take_noted()}, receiver(State)
    end.

start_link() -> gen_server:start_link(?MODULE, server, []).

init({supervisor, Flags, Children}) -> {ok, {Flags, Children}};
init(server) -> {ok, #{total => 0}}.

handle_cast(go, #{total := Total} = State) -> {noreply, State#{total := Total + 1}};
handle_cast({go, Due}, #{total := Total} = State) -> note(Due), {noreply, State#{total := Total + 1}}.

handle_call(count, _From, #{total := Total} = State) -> {reply, {Total, take_noted()}, State}.

resident_mib() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmHWM:\\s+([0-9]+)", [{capture, all_but_first, list}]),
    list_to_integer(Kib) / 1024.

say(Format, Values) -> io:format(Format ++ "~n", Values).
