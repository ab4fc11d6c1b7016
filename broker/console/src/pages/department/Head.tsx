// Head.tsx - the department's name and standing, and the actions on it.
import { useState } from "preact/hooks";
import { post } from "../../api/http";
import { num } from "../../format/number";
import { refresh } from "../../live/board";
import { departmentTitle } from "../../live/catalogue";
import { isUnserved, type DepartmentSum } from "../../live/departments";
import { href } from "../../route";
import { may } from "../../session";
import { fill, text } from "../../text";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { DepartmentState } from "../../ui/DepartmentState";
import { PageHead } from "../../ui/PageHead";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import { TestInquiry } from "./TestInquiry";

type Verb = "pause" | "resume";

/* The verb is that of the button that opened it: a colleague's pause must not turn an open dialog into a resume. */
function Pause({ of, verb, onClose }: { of: DepartmentSum; verb: Verb; onClose: () => void }) {
    const t = text().act;
    const name = departmentTitle(of.name);
    const words =
        verb === "resume"
            ? { title: t.resumeTitle, lead: t.resumeLead, confirm: t.resumeDo, done: t.resumeDone, already: t.resumeAlready }
            : { title: t.pauseTitle, lead: t.pauseLead, confirm: t.pauseDo, done: t.pauseDone, already: t.pauseAlready };
    return (
        <Reason
            title={fill(words.title, { name })}
            lead={words.lead}
            confirm={words.confirm}
            danger={verb === "pause"}
            overtaken={of.paused === (verb === "pause") ? fill(words.already, { name }) : undefined}
            onClose={onClose}
            onConfirm={async (reason) => {
                await post(`/v1/departments/${encodeURIComponent(of.name)}/${verb}`, { reason });
                toast(fill(words.done, { name }));
                refresh();
            }}
        />
    );
}

export function Head({ of, outside }: { of: DepartmentSum; outside?: boolean }) {
    const t = text().department;
    const [open, setOpen] = useState<Verb | "test" | null>(null);
    const actions = may("act") && (
        <>
            <Button icon="test" onClick={() => setOpen("test")}>{t.test}</Button>
            <Button icon={of.paused ? "play" : "pause"} flip={of.paused} kind={of.paused ? "primary" : "plain"} onClick={() => setOpen(of.paused ? "resume" : "pause")}>
                {of.paused ? t.resume : t.pause}
            </Button>
        </>
    );
    return (
        <>
            <PageHead
                title={departmentTitle(of.name)}
                back={{ href: href(""), label: t.back }}
                aside={<><DepartmentState of={of} /> <small dir="ltr" class="name">{of.name}</small> <small>{outside === undefined ? "" : outside ? t.outside : t.inside}</small></>}
                actions={actions}
            />
            {of.paused && <Banner tone="warn">{t.pausedBanner}</Banner>}
            {!of.paused && isUnserved(of) && <Banner tone="bad">{fill(t.unservedBanner, { n: num(of.unserved) })}</Banner>}
            {(open === "pause" || open === "resume") && <Pause of={of} verb={open} onClose={() => setOpen(null)} />}
            {open === "test" && <TestInquiry department={of.name} onClose={() => setOpen(null)} />}
        </>
    );
}
