#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 1:1
%% What idle gen_servers hold, each after one message: the memory of processes. Speaks the lines of round-lines.ts.
%% Usage: erlang_resident.escript ACTORS ROUND_MS WARMUP_MS; a round is one measurement, however long it takes.
-mode(compile).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2]).

main([Text, _RoundMs, _WarmupMs]) ->
    Actors = list_to_integer(Text),
    measure(Actors),
    say("{\"say\":\"ready\"}", []),
    serve(Actors).

serve(Actors) ->
    case io:get_line("") of
        "{\"say\":\"round\"}" ++ _ ->
            Start = erlang:monotonic_time(microsecond),
            Bytes = measure(Actors),
            ElapsedUs = erlang:monotonic_time(microsecond) - Start,
            say("{\"say\":\"round\",\"work\":~b,\"elapsedMs\":~.3f,\"heapBytes\":~b}", [Actors, ElapsedUs / 1000, Bytes]),
            serve(Actors);
        _ ->
            say("{\"say\":\"finished\",\"rssMiB\":~.1f}", [resident_mib()])
    end.

measure(Actors) ->
    erlang:garbage_collect(),
    Before = erlang:memory(processes),
    Pids = [start() || _ <- lists:seq(1, Actors)],
    [gen_server:cast(Pid, go) || Pid <- Pids],
    Actors = lists:sum([gen_server:call(Pid, count) || Pid <- Pids]),
    erlang:garbage_collect(),
    Bytes = erlang:memory(processes) - Before,
    [gen_server:stop(Pid) || Pid <- Pids],
    Bytes.

start() ->
    {ok, Pid} = gen_server:start(?MODULE, [], []),
    Pid.

init([]) -> {ok, #{total => 0}}.

handle_cast(go, #{total := Total} = State) -> {noreply, State#{total := Total + 1}}.

handle_call(count, _From, #{total := Total} = State) -> {reply, Total, State}.

resident_mib() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmHWM:\\s+([0-9]+)", [{capture, all_but_first, list}]),
    list_to_integer(Kib) / 1024.

say(Format, Values) -> io:format(Format ++ "~n", Values).
