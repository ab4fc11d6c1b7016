-- Engineering organisation: licences and the capacity that each engineer has left this year.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE PARVANE_ESHTEGHAL (
    SH_OZVIAT   VARCHAR(20) NOT NULL,
    RESHTE      INTEGER NOT NULL,          -- 1 architecture, 2 civil, 3 mechanical, 4 electrical
    ETEBAR_TA   INTEGER NOT NULL,
    ZARFIAT     INTEGER NOT NULL,
    MASRAF      INTEGER NOT NULL,
    MAHRUM      CHAR(1) NOT NULL DEFAULT 'N',
    PRIMARY KEY (SH_OZVIAT, RESHTE)
);
INSERT INTO PARVANE_ESHTEGHAL VALUES
    ('10-300-00001', 2, 14120630, 12000, 4150, 'N'),
    ('10-300-00002', 1, 14110101, 8000, 7900, 'N'),
    ('10-300-00003', 2, 14090229, 6000, 0, 'Y');
