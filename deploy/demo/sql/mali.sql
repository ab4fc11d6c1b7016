-- Finance: payments as they come from the bank's nightly file.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE VARIZI (
    SH_GHABZ    VARCHAR(18) NOT NULL,
    SH_PARDAKHT VARCHAR(18) NOT NULL,
    MABLAGH     BIGINT NOT NULL,
    T_VARIZ     INTEGER,                   -- NULL: not paid yet
    PRIMARY KEY (SH_GHABZ, SH_PARDAKHT)
);
INSERT INTO VARIZI VALUES
    ('1234500010119', '3276000011', 3276000000, 14040709),
    ('1234500050124', '9120000025', 9120000000, NULL);
