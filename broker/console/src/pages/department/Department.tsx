// Department.tsx - one department: how it stands, its charts, its agents, and what one may do about it.
import { board } from "../../live/board";
import { catalogue } from "../../live/catalogue";
import { blank, sum } from "../../live/departments";
import { may } from "../../session";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { href } from "../../route";
import { Empty } from "../../ui/Empty";
import { Loading } from "../../ui/Loading";
import { Agents } from "./Agents";
import { AnswerTimes } from "./AnswerTimes";
import { Charts } from "./Charts";
import { Districts } from "./Districts";
import { Facts } from "./Facts";
import { Head } from "./Head";
import { Outcomes } from "./Outcomes";
import { Types } from "./Types";
import { Recent } from "./Recent";

function Unknown({ name }: { name: string }) {
    const t = text().department;
    return (
        <Empty icon="search" title={fill(t.unknown, { name })}>
            <p>{t.unknownDo}</p>
            <a href={href("")}>{t.back}</a>
        </Empty>
    );
}

export function Department({ name }: { name: string }) {
    const now = useStore(board);
    const titles = useStore(catalogue);
    if (!now.at) return <Loading />;
    const department = sum(now.queues, now.agents, titles).find((d) => d.name === name);
    const known = titles.departments.get(name);
    if (!department && !known) return <Unknown name={name} />;
    const stands = department ?? blank(name);
    return (
        <div class="page">
            <Head of={stands} outside={known?.outside} />
            <Facts of={stands} />
            <Charts name={name} />
            <div class={may("inquiry") ? "split" : ""}>
                {may("inquiry") && <AnswerTimes name={name} />}
                <div class="stack">
                    <Outcomes name={name} />
                    <Types department={name} />
                </div>
            </div>
            <Agents agents={now.agents.filter((a) => a.department === name)} name={name} />
            {may("inquiry") && <Recent name={name} />}
            <Districts rows={now.queues.filter((q) => q.department === name)} />
        </div>
    );
}
