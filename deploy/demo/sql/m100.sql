-- The Article 100 commission: cases, and the votes given in them.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE PARVANDE_M100 (
    PARVANDE_ID INTEGER PRIMARY KEY,
    KOD_NOSAZI  VARCHAR(40) NOT NULL,
    BAZ         INTEGER NOT NULL           -- 1 being heard
);
CREATE TABLE RAY (
    RAY_NO      VARCHAR(20) PRIMARY KEY,
    PARVANDE_ID INTEGER NOT NULL REFERENCES PARVANDE_M100,
    TARIKH      INTEGER NOT NULL,
    NOE_RAY     INTEGER NOT NULL,          -- 1 demolition, 2 fine, 3 parking, 4 acquittal
    JARIME      BIGINT,
    EJRA        CHAR(1) NOT NULL           -- Y executed
);
INSERT INTO PARVANDE_M100 VALUES
    (1, '1-1-1-1-0-0-0', 0),
    (2, '22-3-15-40-1-12-0', 1),
    (3, '5-2-8-14-0-0-0', 0),
    (4, '12-4-30-7-0-0-0', 0);
INSERT INTO RAY VALUES
    ('100/1/2217', 1, 13780922, 2, 42000000, 'Y'),
    ('100/22/0164', 2, 14020311, 3, 950000000, 'N'),
    ('100/12/0088', 4, 13990605, 1, NULL, 'N');
