#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 1:1
%% The same bursts to an Erlang process, on one scheduler: one that only receives, or a gen_server under a supervisor. Speaks the lines of round-lines.ts.
%% Usage: erlang_rounds.escript process|gen_server BURST ROUND_MS WARMUP_MS
-mode(compile).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, start_link/0]).

main([Kind, BurstText, RoundText, WarmupText]) ->
    Burst = list_to_integer(BurstText),
    {Send, Count} = start(list_to_atom(Kind)),
    rounds(Send, Count, Burst, list_to_integer(RoundText), list_to_integer(WarmupText)).

rounds(Send, Count, Burst, RoundMs, WarmupMs) ->
    {Warm, _} = sample(Send, Count, Burst, WarmupMs, 0),
    say("{\"say\":\"ready\"}", []),
    serve(Send, Count, Burst, RoundMs, Warm).

serve(Send, Count, Burst, RoundMs, Sent) ->
    case io:get_line("") of
        "{\"say\":\"round\"}" ++ _ ->
            {Total, ElapsedUs} = sample(Send, Count, Burst, RoundMs, Sent),
            say("{\"say\":\"round\",\"work\":~b,\"elapsedMs\":~.3f}", [Total - Sent, ElapsedUs / 1000]),
            serve(Send, Count, Burst, RoundMs, Total);
        _ ->
            Sent = Count(),
            say("{\"say\":\"finished\",\"rssMiB\":~.1f}", [resident_mib()])
    end.

%% Bursts until the time is over; each is counted at the receiver before the next.
sample(Send, Count, Burst, ForMs, Sent) ->
    Start = erlang:monotonic_time(microsecond),
    Total = bursts(Send, Count, Burst, Start + ForMs * 1000, Sent),
    {Total, erlang:monotonic_time(microsecond) - Start}.

bursts(Send, Count, Burst, End, Sent) ->
    send(Send, Burst),
    Total = Sent + Burst,
    Total = Count(),
    case erlang:monotonic_time(microsecond) < End of
        true -> bursts(Send, Count, Burst, End, Total);
        false -> Total
    end.

send(_, 0) -> ok;
send(Send, Left) -> Send(), send(Send, Left - 1).

start(process) ->
    Pid = spawn_link(fun() -> receiver(#{total => 0}) end),
    {fun() -> Pid ! go end, fun() -> Pid ! {count, self()}, receive {total, Total} -> Total end end};
start(gen_server) ->
    Flags = #{strategy => one_for_one},
    {ok, Supervisor} = supervisor:start_link(?MODULE, {supervisor, Flags, [#{id => receiver, start => {?MODULE, start_link, []}}]}),
    [{receiver, Pid, _, _}] = supervisor:which_children(Supervisor),
    {fun() -> gen_server:cast(Pid, go) end, fun() -> gen_server:call(Pid, count, infinity) end}.

receiver(#{total := Total} = State) ->
    receive
        go -> receiver(State#{total := Total + 1});
        {count, From} -> From ! {total, Total}, receiver(State)
    end.

start_link() -> gen_server:start_link(?MODULE, server, []).

init({supervisor, Flags, Children}) -> {ok, {Flags, Children}};
init(server) -> {ok, #{total => 0}}.

handle_cast(go, #{total := Total} = State) -> {noreply, State#{total := Total + 1}}.

handle_call(count, _From, #{total := Total} = State) -> {reply, Total, State}.

resident_mib() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmHWM:\\s+([0-9]+)", [{capture, all_but_first, list}]),
    list_to_integer(Kib) / 1024.

say(Format, Values) -> io:format(Format ++ "~n", Values).
