#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 1:1
%% Runs scenes on OTP's own supervisor and prints one line for each: NAME, a tab, what happened.
%% Usage: escript supervise.escript FILE, a file of terms {Name, Supervisor, Steps}. as on-otp.ts writes it.
%%
%% Every child tells the scene what it does by a call and goes on when that was noted, so that the order in a journal is the order of causes. After each step the
%% scene waits until nothing more happens. OTP counts restarts in whole seconds of the monotonic clock: a scene begins early in such a second, and `advance`
%% waits for the same place in a later one.
-mode(compile).
-export([init/1, start_child/3, child/4]).

-define(FIRST_MS, 60).
-define(QUIET_MS, 120).

main([File]) ->
    logger:set_primary_config(level, none),
    {ok, Scenes} = file:consult(File),
    Self = self(),
    Runs = [spawn_link(fun() -> Self ! {self(), Name, play(Root, Steps)} end) || {Name, Root, Steps} <- Scenes],
    [receive {Run, Name, Line} -> io:format("~s\t~s~n", [Name, Line]) end || Run <- Runs].

play(Root, Steps) ->
    Notes = spawn_link(fun() -> note(#{log => [], fail => #{}, hold_start => [], hold_stop => [], held => #{}, pids => #{}, supervisors => #{}, brutal => []}) end),
    Parent = spawn_link(fun() -> process_flag(trap_exit, true), parent(Notes, undefined) end),
    timer:sleep(until_phase(100)),
    Base = erlang:monotonic_time(millisecond),
    lists:foldl(fun(Step, At) -> step(Step, Root, Notes, Parent, Base, At) end, 0, Steps),
    Final = call(Parent, final),
    lists:join(" | ", [lists:join(", ", Part) || Part <- call(Notes, log)] ++ [Final]).

until_phase(Ms) ->
    Phase = (((erlang:monotonic_time(nanosecond) rem 1000000000) + 1000000000) rem 1000000000) div 1000000,
    (Ms - Phase + 1000) rem 1000.

step({advance, Seconds}, _, Notes, _, Base, At) ->
    call(Notes, {step, io_lib:format("advance ~b:", [Seconds])}),
    Next = At + Seconds * 1000,
    timer:sleep(max(0, Base + Next - erlang:monotonic_time(millisecond))),
    quiet(Notes),
    Next;
step(Step, Root, Notes, Parent, _, At) ->
    call(Notes, {step, [lists:join(" ", [io_lib:format(if is_atom(Word) -> "~s"; true -> "~b" end, [Word]) || Word <- words(Step)]), ":"]}),
    act(Step, Root, Notes, Parent),
    is_order(Step) orelse quiet(Notes),
    At.

%% An order for later: nothing happens by it alone.
is_order(Step) -> lists:member(hd(words(Step)), ['fail-starts', 'hold-start', 'hold-stop']).

words(Step) when is_tuple(Step) -> tuple_to_list(Step);
words(Step) -> [Step].

act(start, Root, Notes, Parent) -> Parent ! {start, Root, Notes};
act(stop, _, _, Parent) -> Parent ! stop;
act({'end', Id, How}, _, Notes, _) ->
    case call(Notes, {pid, Id}) of
        undefined -> ok;
        Pid when How =:= killed -> call(Notes, {outside, Id}), exit(Pid, kill);
        Pid -> Pid ! {'end', How}
    end;
act({'end-both', Id, How, Other, OtherHow}, _, Notes, Parent) ->
    Sup = call(Parent, supervisor),
    ok = sys:suspend(Sup),
    [ended(Notes, Who, Why) || {Who, Why} <- [{Id, How}, {Other, OtherHow}]],
    ok = sys:resume(Sup);
act({add, Id}, _, Notes, Parent) -> Parent ! {add, Notes, Id};
act({remove, Id}, _, _, Parent) -> Parent ! {remove, Id};
act({restart, Id}, _, _, Parent) -> Parent ! {restart, Id};
act({ask, What, Id, Of}, _, Notes, _) ->
    Sup = call(Notes, {supervisor, Of}),
    spawn_link(fun() -> call(Notes, {say, ["told ", atom_to_list(What), " ", atom_to_list(Id), " ", told(What, Sup, Notes, Id)]}) end);
act(Order, _, Notes, _) -> call(Notes, Order).

%% Asked by its pid, as by whoever found it by its name.
told(What, Sup, Notes, Id) ->
    try asked(What, Sup, Notes, Id)
    catch exit:_ -> "not-running"
    end.

asked(add, Sup, Notes, Id) ->
    case supervisor:start_child(Sup, spec(Notes, {Id, permanent, false, 60000})) of
        {ok, _} -> "started";
        {error, already_present} -> "id-taken";
        {error, {already_started, _}} -> "id-taken";
        {error, _} -> "start-failed"
    end;
asked(remove, Sup, Notes, Id) ->
    case supervisor:terminate_child(Sup, Id) of
        ok ->
            case supervisor:delete_child(Sup, Id) of
                ok -> "removed";
                %% Somebody's restart is two calls too and came between.
                {error, _} -> asked(remove, Sup, Notes, Id)
            end;
        {error, not_found} -> "no-such-child"
    end;
asked(restart, Sup, _, Id) ->
    case supervisor:terminate_child(Sup, Id) of
        {error, not_found} -> "no-such-child";
        ok ->
            case supervisor:restart_child(Sup, Id) of
                {ok, _} -> "started";
                {error, not_found} -> "no-such-child";
                {error, _} -> "start-failed"
            end
    end.

%% It is gone, and its supervisor has the message of that.
ended(Notes, Id, How) ->
    Pid = call(Notes, {pid, Id}),
    Ref = erlang:monitor(process, Pid),
    act({'end', Id, How}, undefined, Notes, undefined),
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

quiet(Notes) -> timer:sleep(?FIRST_MS), quiet(Notes, call(Notes, count)).
quiet(Notes, Count) ->
    timer:sleep(?QUIET_MS),
    case call(Notes, count) of
        Count -> ok;
        More -> quiet(Notes, More)
    end.

%% The process that the supervisor is linked to.
parent(Notes, Sup) ->
    receive
        {start, Root, Notes} ->
            case supervisor:start_link(?MODULE, {Notes, Root}) of
                {ok, Pid} -> parent(Notes, Pid);
                {error, Reason} ->
                    call(Notes, {say, ["refused ", lists:join("/", [atom_to_list(Id) || Id <- failed(Reason)])]}),
                    parent(Notes, undefined)
            end;
        stop when is_pid(Sup) -> exit(Sup, shutdown), parent(Notes, Sup);
        stop -> parent(Notes, Sup);
        {add, Notes, Id} ->
            [Inner] = [Pid || {_, Pid, supervisor, _} <- supervisor:which_children(Sup)],
            {ok, _} = supervisor:start_child(Inner, spec(Notes, {Id, permanent, false, 5000})),
            parent(Notes, Sup);
        {remove, Id} -> ok = supervisor:terminate_child(Sup, Id), ok = supervisor:delete_child(Sup, Id), parent(Notes, Sup);
        {restart, Id} -> ok = supervisor:terminate_child(Sup, Id), {ok, _} = supervisor:restart_child(Sup, Id), parent(Notes, Sup);
        {'EXIT', Sup, Reason} -> call(Notes, {say, io_lib:format("ended ~p", [Reason])}), parent(Notes, undefined);
        {'EXIT', _, _} -> parent(Notes, Sup);
        {From, supervisor} -> From ! {self(), Sup}, parent(Notes, Sup);
        {From, final} -> From ! {self(), children(Sup)}, parent(Notes, Sup)
    end.

failed({shutdown, {failed_to_start_child, Id, Reason}}) -> [Id | failed(Reason)];
failed(_) -> [].

children(undefined) -> "none";
children(Sup) ->
    Shown = [[atom_to_list(Id), " ", state(Pid, Type)] || {Id, Pid, Type, _} <- lists:reverse(supervisor:which_children(Sup))],
    lists:join(", ", Shown).

state(Pid, supervisor) when is_pid(Pid) -> ["(", children(Pid), ")"];
state(Pid, worker) when is_pid(Pid) -> "up";
state(undefined, _) -> "down";
state(restarting, _) -> "restarting".

%% Supervisors and children.
init({Notes, {Me, _, _, _, {Strategy, Intensity, Period, Auto}, Children}}) ->
    call(Notes, {supervises, Me, self()}),
    {ok, {#{strategy => Strategy, intensity => Intensity, period => Period, auto_shutdown => Auto}, [spec(Notes, Child) || Child <- Children]}}.

spec(Notes, {Id, Restart, Significant, Shutdown}) ->
    Shutdown =:= brutal_kill andalso call(Notes, {brutal, Id}),
    #{id => Id, start => {?MODULE, start_child, [Notes, Id, worker]}, restart => Restart, significant => Significant, shutdown => Shutdown};
spec(Notes, {Id, Restart, Significant, Shutdown, _, _} = Nested) ->
    #{id => Id, start => {supervisor, start_link, [?MODULE, {Notes, Nested}]}, restart => Restart, significant => Significant, shutdown => Shutdown, type => supervisor}.

start_child(Notes, Id, worker) -> proc_lib:start_link(?MODULE, child, [Notes, Id, self(), worker]).

child(Notes, Id, Sup, worker) ->
    process_flag(trap_exit, true),
    case call(Notes, {starts, Id}) of
        ok ->
            call(Notes, {up, Id, self()}),
            proc_lib:init_ack(Sup, {ok, self()}),
            receive
                {'end', normal} -> exit(normal);
                {'end', shutdown} -> exit(shutdown);
                {'end', stopped} -> exit({shutdown, enough});
                {'end', failed} -> exit(broke);
                {'EXIT', Sup, Reason} -> call(Notes, {stops, Id}), exit(Reason)
            end;
        fail ->
            proc_lib:init_ack(Sup, {error, no_such_device}),
            exit(normal)
    end.

call(To, What) ->
    To ! {self(), What},
    receive {To, Answer} -> Answer end.

%% Notes down what happens and says what children are to do.
note(S = #{log := Log, pids := Pids}) ->
    receive
        {From, {step, Name}} -> reply(From, ok), note(S#{log := [[Name] | Log]});
        {From, {say, What}} -> reply(From, ok), note(say(What, S));
        {From, count} -> reply(From, lists:sum([length(Part) || Part <- Log])), note(S);
        {From, log} -> reply(From, lists:reverse([shown(Part) || Part <- Log])), note(S);
        {From, {pid, Id}} -> reply(From, maps:get(Id, Pids, undefined)), note(S);
        {From, {supervisor, Id}} -> reply(From, maps:get(Id, maps:get(supervisors, S), none)), note(S);
        {From, {supervises, Id, Pid}} -> reply(From, ok), note(set(supervisors, Id, Pid, S));
        {From, {'fail-starts', Id, Count}} -> reply(From, ok), note(set(fail, Id, Count, S));
        {From, {'hold-start', Id}} -> reply(From, ok), note(add(hold_start, Id, S));
        {From, {'hold-stop', Id}} -> reply(From, ok), note(add(hold_stop, Id, S));
        %% Killed by the scene, not by its supervisor.
        {From, {outside, Id}} -> reply(From, ok), note(S#{pids := maps:remove(Id, Pids)});
        {From, {brutal, Id}} -> reply(From, ok), note(add(brutal, Id, S));
        {From, {release, Id}} ->
            reply(From, ok),
            #{held := Held, hold_start := Starts, hold_stop := Stops} = S,
            S1 = S#{held := maps:remove(Id, Held), hold_start := Starts -- [Id], hold_stop := Stops -- [Id]},
            note(case maps:find(Id, Held) of
                {ok, {start, Who}} -> started(Who, Id, S1);
                {ok, {stop, Who}} -> reply(Who, ok), S1;
                error -> S1
            end);
        {From, {starts, Id}} ->
            S1 = say(["start ", atom_to_list(Id)], S),
            case lists:member(Id, maps:get(hold_start, S)) of
                true -> note(set(held, Id, {start, From}, S1));
                false -> note(started(From, Id, S1))
            end;
        {From, {up, Id, Pid}} ->
            erlang:monitor(process, Pid),
            reply(From, ok),
            note(set(pids, Id, Pid, say(["up ", atom_to_list(Id)], S)));
        {From, {stops, Id}} ->
            S1 = say(["stop ", atom_to_list(Id)], S),
            case lists:member(Id, maps:get(hold_stop, S)) of
                true -> note(set(held, Id, {stop, From}, S1));
                false -> reply(From, ok), note(S1)
            end;
        {'DOWN', _, process, Pid, Reason} ->
            case [Id || {Id, Known} <- maps:to_list(Pids), Known =:= Pid] of
                [Id] when Reason =:= killed, is_map_key(Id, map_get(held, S)) ->
                    note(say(["kill ", atom_to_list(Id)], S#{held := maps:remove(Id, maps:get(held, S)), pids := maps:remove(Id, Pids)}));
                [Id] when Reason =:= killed ->
                    S1 = S#{pids := maps:remove(Id, Pids)},
                    note(case lists:member(Id, maps:get(brutal, S)) of
                        true -> say(["kill ", atom_to_list(Id)], S1);
                        false -> S1
                    end);
                [Id] -> note(S#{pids := maps:remove(Id, Pids)});
                [] -> note(S)
            end
    end.

started(Who, Id, S = #{fail := Fail}) ->
    case maps:get(Id, Fail, 0) of
        0 -> reply(Who, ok), S;
        Count -> reply(Who, fail), set(fail, Id, Count - 1, say(["fail ", atom_to_list(Id)], S))
    end.

reply(To, Answer) -> To ! {self(), Answer}.
say(What, S = #{log := [Part | Log]}) -> S#{log := [[What | Part] | Log]}.
set(Key, Id, Value, S) -> S#{Key := maps:put(Id, Value, maps:get(Key, S))}.
add(Key, Id, S) -> S#{Key := [Id | maps:get(Key, S)]}.
%% Nobody knows in which order several hear of the same: what was answered comes last.
shown(Part) ->
    [Step | Said] = lists:reverse(Part),
    {Told, Done} = lists:partition(fun(What) -> lists:prefix("told ", lists:flatten(What)) end, Said),
    case Done ++ lists:sort([lists:flatten(What) || What <- Told]) of
        [] -> [[Step, " nothing"]];
        [First | More] -> [[Step, " ", First] | More]
    end.
