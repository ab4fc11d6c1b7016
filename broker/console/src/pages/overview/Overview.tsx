// Overview.tsx - the state of the city at a glance: what burns, five figures, the last hour, the departments.
import { board } from "../../live/board";
import { catalogue } from "../../live/catalogue";
import { sum } from "../../live/departments";
import { may } from "../../session";
import { useStore } from "../../store";
import { text } from "../../text";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Departments } from "./Departments";
import { DepthPanel } from "./DepthPanel";
import { Draining } from "./Draining";
import { Feed } from "./Feed";
import { Tiles } from "./Tiles";
import { Unserved } from "./Unserved";

export function Overview() {
    const now = useStore(board);
    const titles = useStore(catalogue);
    const departments = sum(now.queues, now.agents, titles);
    if (!now.at) return now.fault ? <Fault of={now.fault} /> : <Loading />;
    return (
        <div class="page">
            <h1 class="sr-only">{text().overview.title}</h1>
            <Unserved departments={departments} />
            <Draining stats={now.stats} />
            <Tiles departments={departments} stats={now.stats} />
            <div class={may("events") ? "split" : ""}>
                <DepthPanel />
                {may("events") && <Feed />}
            </div>
            <Departments all={departments} />
        </div>
    );
}
