-- Civil registration, as its own old system might keep it: dates are Jalali numbers, yyyymmdd.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE SHENASNAME (
    CODE_MELLI  CHAR(10) PRIMARY KEY,
    T_TAVALOD   INTEGER NOT NULL,
    FOT         CHAR(1) NOT NULL DEFAULT 'N'
);
INSERT INTO SHENASNAME VALUES
    ('0499370899', 13600526, 'N'),
    ('0790419904', 13480110, 'N'),
    ('4400276201', 13230704, 'Y'),
    ('2540201288', 13700115, 'N'),
    ('0013542419', 13651230, 'N');
