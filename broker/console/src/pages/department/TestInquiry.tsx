// TestInquiry.tsx - one of the saved samples is asked of the department, for real.
import { useId, useState } from "preact/hooks";
import { post } from "../../api/http";
import type { Inquiry, List, Sample } from "../../api/shapes";
import { digits } from "../../format/number";
import { catalogue, departmentTitle, typeTitle } from "../../live/catalogue";
import { href } from "../../route";
import { fill, isPersian, text } from "../../text";
import { Banner } from "../../ui/Banner";
import { Fault } from "../../ui/Fault";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import { useAsked } from "../../ui/useAsked";

const titleOf = (s: Sample): string => (isPersian() ? s.title_fa : s.title_en) || `${typeTitle(s.type)} · ${s.name}`;
const departmentOf = (s: Sample): string | undefined => s.department ?? catalogue.get().types.get(s.type)?.department;

export function TestInquiry({ department, onClose }: { department: string; onClose: () => void }) {
    const t = text().act;
    const id = useId();
    const { value, fault } = useAsked<List<Sample>>("/v1/samples");
    const samples = (value?.rows ?? []).filter((s) => departmentOf(s) === department);
    const [chosen, setChosen] = useState("");
    const sample = chosen || samples[0]?.name || "";
    return (
        <Reason
            title={fill(t.testTitle, { name: departmentTitle(department) })}
            lead={t.testLead}
            confirm={t.testDo}
            blocked={!sample}
            onClose={onClose}
            onConfirm={async (reason) => {
                const receipt = await post<Inquiry>(`/v1/departments/${encodeURIComponent(department)}/test`, { sample, reason });
                toast(
                    <>
                        {fill(t.testDone, { n: digits(receipt.number) })}{" "}
                        <a href={href("inquiry", receipt.number)}>{t.testOpen}</a>
                    </>,
                );
            }}
        >
            {fault !== null && <Fault of={fault} />}
            {value && !samples.length && <Banner tone="calm">{t.testNone} {t.testNoneDo}</Banner>}
            {samples.length > 0 && (
                <div class="field">
                    <label for={id}>{t.testSample}</label>
                    <select id={id} value={sample} onChange={(e) => setChosen(e.currentTarget.value)}>
                        {samples.map((s) => <option key={s.name} value={s.name}>{titleOf(s)}</option>)}
                    </select>
                </div>
            )}
        </Reason>
    );
}
